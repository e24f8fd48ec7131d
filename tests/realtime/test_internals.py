"""What realtime.internals and realtime.connection rely on inside daphne, autobahn, Twisted and channels_redis.

An upgrade that changes it fails here, by its name.
"""

import inspect
from unittest.mock import Mock, call

import daphne.http_protocol
import daphne.server
import daphne.ws_protocol
from autobahn.twisted import websocket as autobahn_twisted
from autobahn.websocket import protocol as autobahn_module
from autobahn.websocket.protocol import WebSocketProtocol as Autobahn
from channels_redis import pubsub
from twisted.internet import endpoints
from twisted.internet.abstract import FileDescriptor
from twisted.internet.tcp import Connection as TcpConnection

from realtime.connection import Connection
from realtime.internals import WaitingRedisConnection
from realtime.server import DrainingServer


def test_every_method_we_override_is_still_called_so():
    for ours, theirs in ((Connection, daphne.ws_protocol.WebSocketProtocol), (DrainingServer, daphne.server.Server)):
        for name, method in vars(ours).items():
            if inspect.isfunction(method) and not name.startswith("_") and name not in ("drain",):
                assert callable(getattr(theirs, name, None)), f"daphne has no {theirs.__name__}.{name} any more"
                wanted = list(inspect.signature(getattr(theirs, name)).parameters)
                assert list(inspect.signature(method).parameters) == wanted, f"{name} takes something else now"


def test_the_factory_builds_the_protocol_class_that_we_put_there():
    assert daphne.ws_protocol.WebSocketFactory.protocol in (Connection, daphne.ws_protocol.WebSocketProtocol)
    assert "ws_factory = WebSocketFactory(" in inspect.getsource(daphne.server.Server.run)
    assert "ws_factory.buildProtocol" in inspect.getsource(daphne.http_protocol.WebRequest.process)


def test_a_transport_still_keeps_its_unsent_bytes_where_we_look():
    transport = FileDescriptor(reactor=object())  # type: ignore[arg-type]
    assert transport.dataBuffer == b""
    assert transport._tempDataBuffer == []
    source = inspect.getsource(FileDescriptor.doWrite)
    assert "self.dataBuffer = b" in source, "an emptied buffer is not b'' any more"
    assert "self.producer.resumeProducing()" in source
    assert "return self.socket" in inspect.getsource(TcpConnection.getHandle)


def test_autobahn_still_has_the_states_and_the_close_frame_of_ours():
    assert (Autobahn.STATE_CLOSED, Autobahn.STATE_CLOSING, Autobahn.STATE_OPEN) == (0, 2, 3)
    assert list(inspect.signature(Autobahn.sendCloseFrame).parameters)[:2] == ["self", "code"]
    assert "self.failByDrop" in inspect.getsource(Autobahn._fail_connection)
    assert "closeHandshakeTimeout" in inspect.getsource(Autobahn.sendCloseFrame)


def test_autobahn_still_knows_where_a_frame_ended_and_hands_its_payload_to_daphne():
    source = inspect.getsource(Autobahn.processData)
    assert "if self.current_frame is None:" in source
    assert "self.inside_message" in source
    assert "self.data = b" in source
    assert list(inspect.signature(daphne.ws_protocol.WebSocketProtocol.onMessage).parameters)[1:] == [
        "payload",
        "isBinary",
    ]


def test_what_autobahn_sends_by_itself_still_passes_where_we_look():
    source = inspect.getsource(autobahn_module)
    assert source.count("self.transport.write(") == 2
    assert "self.transport.write(" in inspect.getsource(Autobahn.sendData)
    assert "self.transport.write(" in inspect.getsource(Autobahn._send)  # what sendData left for it
    assert "self.sendData(" in inspect.getsource(Autobahn.sendFrame)
    ends = [Autobahn.dropConnection, Autobahn._connectionLost, Autobahn.sendCloseFrame]
    assert source.count("self.state = WebSocketProtocol.STATE_CLOS") == len(ends)
    assert all("self.state = WebSocketProtocol.STATE_CLOS" in inspect.getsource(end) for end in ends)
    connection, around = Connection(), Mock()
    connection.writer, connection.transport = around.writer, around.transport
    connection.__dict__ |= dict.fromkeys(("factory", "is_closed", "log", "trafficStats"), around)
    around.outgoingOctetsWireLevel = 0
    connection.__dict__ |= {
        "state": Autobahn.STATE_OPEN,
        "send_queue": [],
        "logOctets": False,
        "peer": "",
        "wasClean": 1,
    }
    connection.sendData(b"pong")
    assert around.mock_calls[:2] == [call.writer.invalidate_fast_path(), call.transport.write(b"pong")]
    around.reset_mock()
    connection.dropConnection()
    assert around.mock_calls[0] == call.writer.invalidate_fast_path()
    assert connection.state == Autobahn.STATE_CLOSED


def test_autobahn_still_pretty_prints_for_nobody():
    """If not, replacing its pformat is one line too many."""
    assert "self.log.debug(" in inspect.getsource(Autobahn._connectionMade)
    assert "pformat(configAttrLog)" in inspect.getsource(Autobahn._connectionMade)


def test_the_http_channel_is_still_the_transports_producer_after_the_upgrade():
    """If not, unregisterProducer in Connection.onConnect is one line too many."""
    source = inspect.getsource(daphne.http_protocol.WebRequest.process)
    assert "unregisterProducer" not in source


def test_daphne_still_starts_applications_as_we_do():
    source = inspect.getsource(daphne.server.Server.create_application)
    assert 'self.connections[protocol]["application_instance"] = asyncio.ensure_future(' in source
    assert "send=partial(self.handle_reply, protocol)" in source
    used = inspect.getsource(daphne.ws_protocol)
    assert "self.application_queue.put_nowait(" in used
    assert "self.application_queue.get" not in used


def test_daphne_still_looks_at_every_connection_for_nothing_else_than_we_show_it():
    applications = inspect.getsource(daphne.server.Server.application_checker)
    assert "for protocol, details in list(self.connections.items()):" in applications
    assert applications.count("del self.connections[protocol]\n") == 1
    assert "for protocol in list(self.connections.keys()):" in inspect.getsource(daphne.server.Server.timeout_checker)
    timeouts = inspect.getsource(daphne.ws_protocol.WebSocketProtocol.check_timeouts)
    asked_of_open = timeouts.split("elif self.state == self.STATE_OPEN:")[1]
    assert asked_of_open.count("if ") == 1, "an open socket is asked for more than its age and its ping"


def test_what_is_forgotten_after_the_handshake_is_asked_for_no_more():
    assert "self.request.headers" not in inspect.getsource(daphne.ws_protocol).split("def onOpen")[1]
    for method in (Autobahn.processData, Autobahn.onFrameBegin, Autobahn.onFrameEnd, Autobahn.sendCloseFrame):
        assert "http_headers" not in inspect.getsource(method)


def test_autobahn_still_colours_words_for_a_log():
    """If not, replacing its hltype and hlval is one line too many."""
    source = inspect.getsource(autobahn_twisted.WebSocketAdapterProtocol.dataReceived)
    assert "hltype(" in source
    assert "hlval(" in source


def test_twisted_still_closes_what_it_adopted_by_a_method_of_that_name():
    """A successor inherits it by the same number."""
    assert "self._close(self.fileno)" in inspect.getsource(endpoints.AdoptedStreamServerEndpoint.listen)


def test_channels_redis_still_has_what_we_change():
    assert pubsub.RedisSingleShardConnection is WaitingRedisConnection
    theirs = WaitingRedisConnection.__base__
    assert "self._pubsub = self._redis.pubsub()" in inspect.getsource(theirs._ensure_redis)
    assert "timeout=0.1" in inspect.getsource(theirs._do_receiving), "it may wait by itself now"
