"""What we rely on inside daphne, autobahn and Twisted: an upgrade that moves it fails here, with its name."""

import inspect

import daphne.http_protocol
import daphne.server
import daphne.ws_protocol
from autobahn.websocket.protocol import WebSocketProtocol as Autobahn
from twisted.internet.abstract import FileDescriptor
from twisted.internet.tcp import Connection as TcpConnection

from realtime.connection import Connection
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


def test_autobahn_still_pretty_prints_for_nobody():
    """If not, replacing its pformat is one line too many."""
    assert "self.log.debug(" in inspect.getsource(Autobahn._connectionMade)
    assert "pformat(configAttrLog)" in inspect.getsource(Autobahn._connectionMade)


def test_the_http_channel_is_still_the_transports_producer_after_the_upgrade():
    """If not, unregisterProducer in Connection.onConnect is one line too many."""
    source = inspect.getsource(daphne.http_protocol.WebRequest.process)
    assert "unregisterProducer" not in source
