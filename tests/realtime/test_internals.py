"""The internals of daphne, autobahn, Twisted and channels_redis that channels_realtime relies on are as expected.

An upgrade that changes one of them fails the test that names it.
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
from twisted.internet import endpoints, tcp, unix
from twisted.internet.abstract import FileDescriptor
from twisted.internet.tcp import Connection as TcpConnection

from channels_realtime.connection import Connection
from channels_realtime.internals import WaitingRedisConnection
from channels_realtime.server import DrainingServer

# Methods of our own, which override nothing.
OURS = ("drain", "send_ping", "use_writer", "send_close_frame")


def test_every_overridden_method_exists_with_the_same_parameters():
    for subclass, base in ((Connection, daphne.ws_protocol.WebSocketProtocol), (DrainingServer, daphne.server.Server)):
        for name, method in vars(subclass).items():
            if inspect.isfunction(method) and not name.startswith("_") and name not in OURS:
                assert callable(getattr(base, name, None)), f"daphne has no {base.__name__}.{name} any more"
                expected = list(inspect.signature(getattr(base, name)).parameters)
                assert list(inspect.signature(method).parameters) == expected, f"the parameters of {name} have changed"


def test_the_websocket_factory_builds_the_protocol_class_that_realtime_sets():
    assert daphne.ws_protocol.WebSocketFactory.protocol in (Connection, daphne.ws_protocol.WebSocketProtocol)
    assert "ws_factory = WebSocketFactory(" in inspect.getsource(daphne.server.Server.run)
    assert "ws_factory.buildProtocol" in inspect.getsource(daphne.http_protocol.WebRequest.process)


def test_a_twisted_transport_keeps_its_unsent_bytes_in_the_expected_attributes():
    transport = FileDescriptor(reactor=object())  # type: ignore[arg-type]
    assert transport.dataBuffer == b""
    assert transport._tempDataBuffer == []
    source = inspect.getsource(FileDescriptor.doWrite)
    assert "self.dataBuffer = b" in source, "an emptied buffer is not b'' any more"
    assert "self.producer.resumeProducing()" in source
    assert "return self.socket" in inspect.getsource(TcpConnection.getHandle)


def test_autobahn_has_the_expected_states_and_close_frame_method():
    assert (Autobahn.STATE_CLOSED, Autobahn.STATE_CLOSING, Autobahn.STATE_OPEN) == (0, 2, 3)
    assert list(inspect.signature(Autobahn.sendCloseFrame).parameters)[:2] == ["self", "code"]
    assert "self.failByDrop" in inspect.getsource(Autobahn._fail_connection)
    assert "closeHandshakeTimeout" in inspect.getsource(Autobahn.sendCloseFrame)


def test_autobahn_tracks_frame_boundaries_and_passes_the_payload_to_daphne():
    source = inspect.getsource(Autobahn.processData)
    assert "if self.current_frame is None:" in source
    assert "self.inside_message" in source
    assert "self.data = b" in source
    assert list(inspect.signature(daphne.ws_protocol.WebSocketProtocol.onMessage).parameters)[1:] == [
        "payload",
        "isBinary",
    ]


def test_everything_that_autobahn_sends_by_itself_goes_through_the_overridden_methods():
    source = inspect.getsource(autobahn_module)
    assert source.count("self.transport.write(") == 2
    assert "self.transport.write(" in inspect.getsource(Autobahn.sendData)
    assert "self.transport.write(" in inspect.getsource(Autobahn._send)  # sends what sendData has queued
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


def test_autobahn_formats_its_configuration_for_a_debug_log_at_every_connection():
    """If it no longer does, channels_realtime need not replace its pformat."""
    assert "self.log.debug(" in inspect.getsource(Autobahn._connectionMade)
    assert "pformat(configAttrLog)" in inspect.getsource(Autobahn._connectionMade)


def test_daphne_leaves_the_http_channel_registered_as_producer_after_the_upgrade():
    """If it no longer does, Connection.onConnect need not call unregisterProducer."""
    source = inspect.getsource(daphne.http_protocol.WebRequest.process)
    assert "unregisterProducer" not in source


def test_daphne_starts_applications_as_realtime_does():
    source = inspect.getsource(daphne.server.Server.create_application)
    assert 'self.connections[protocol]["application_instance"] = asyncio.ensure_future(' in source
    assert "send=partial(self.handle_reply, protocol)" in source
    used = inspect.getsource(daphne.ws_protocol)
    assert "self.application_queue.put_nowait(" in used
    assert "self.application_queue.get" not in used


def test_daphne_checks_connections_only_for_what_realtime_passes_to_it():
    applications = inspect.getsource(daphne.server.Server.application_checker)
    assert "for protocol, details in list(self.connections.items()):" in applications
    assert applications.count("del self.connections[protocol]\n") == 1
    assert "for protocol in list(self.connections.keys()):" in inspect.getsource(daphne.server.Server.timeout_checker)
    timeouts = inspect.getsource(daphne.ws_protocol.WebSocketProtocol.check_timeouts)
    checks_of_open_sockets = timeouts.split("elif self.state == self.STATE_OPEN:")[1]
    assert checks_of_open_sockets.count("if ") == 1, "an open socket is checked for more than its age and its ping"


def test_daphne_hands_every_event_of_an_application_to_the_methods_that_realtime_overrides():
    source = inspect.getsource(daphne.ws_protocol.WebSocketProtocol.handle_reply)
    for call_of_ours in ("self.serverAccept(", "self.serverReject()", "self.serverClose(", "self.serverSend("):
        assert call_of_ours in source
    assert "reason" not in source, "daphne passes the reason of a close on: Connection.handle_reply need not"


def test_daphne_fails_at_a_connection_without_an_application_when_it_kills_them():
    """If it no longer does, DrainingServer.kill_all_applications need not be there."""
    assert 'details["application_instance"]' in inspect.getsource(daphne.server.Server.kill_all_applications)


def test_handshake_headers_are_not_read_after_the_handshake():
    assert "self.request.headers" not in inspect.getsource(daphne.ws_protocol).split("def onOpen")[1]
    for method in (Autobahn.processData, Autobahn.onFrameBegin, Autobahn.onFrameEnd, Autobahn.sendCloseFrame):
        assert "http_headers" not in inspect.getsource(method)


def test_autobahn_colours_text_for_a_log_at_every_read():
    """If it no longer does, channels_realtime need not replace its hltype and hlval."""
    source = inspect.getsource(autobahn_twisted.WebSocketAdapterProtocol.dataReceived)
    assert "hltype(" in source
    assert "hlval(" in source


def test_twisted_closes_an_adopted_socket_with_a_method_that_realtime_can_replace():
    """The socket must stay open, because the successor inherits it under the same file descriptor number."""
    assert "self._close(self.fileno)" in inspect.getsource(endpoints.AdoptedStreamServerEndpoint.listen)


def test_twisted_adopts_a_listening_socket_as_realtime_changes_it():
    adopt = inspect.signature(unix.Port._fromListeningDescriptor)
    assert list(adopt.parameters) == ["reactor", "fd", "factory"]
    assert "if _inFilesystemNamespace(self._bindPath):" in inspect.getsource(unix.Port.startListening)
    assert "skt.listen(self.backlog)" in inspect.getsource(unix.Port.startListening)
    assert "self._shouldShutdown = False" in inspect.getsource(tcp.Port.startListening)


def test_channels_redis_has_the_receive_loop_that_realtime_replaces():
    assert pubsub.RedisSingleShardConnection is WaitingRedisConnection
    original = WaitingRedisConnection.__base__
    assert "self._pubsub = self._redis.pubsub()" in inspect.getsource(original._ensure_redis)
    assert "timeout=0.1" in inspect.getsource(original._do_receiving), (
        "channels_redis may no longer poll; then the replacement is not needed"
    )
