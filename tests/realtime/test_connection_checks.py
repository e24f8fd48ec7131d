"""Of thousands of connections only those are looked at where something ends or may take too long; and all of those."""

import asyncio
from types import SimpleNamespace

import daphne.server
import pytest

from realtime.server import DrainingServer
from tests.clock import quiet


class Connected:
    """A connection as daphne's server sees it: asked for its timeouts, told of its application's failure."""

    opened = False

    def __init__(self):
        self.asked = self.failed = 0

    def check_timeouts(self):
        self.asked += 1

    def handle_exception(self, exception):
        self.failed += 1


@pytest.fixture
async def server(monkeypatch):
    later = []
    monkeypatch.setattr(daphne.server, "reactor", SimpleNamespace(callLater=lambda *call: later.append(call)))
    server = DrainingServer(None, endpoints=["unix:nowhere"])
    server.connections, server.opening, server.ended, server.writers = {}, set(), set(), set()
    server.later = later
    return server


async def serve(server, application):
    """A connection whose application is this one; what an HTTP request gets."""

    def run(scope, receive, send):
        return application

    server.application = run
    connected = Connected()
    server.protocol_connected(connected)
    server.create_application(connected, {"type": "http"})
    await quiet()
    return connected


async def done():
    pass


async def broken():
    raise ValueError


async def forever():
    await asyncio.Event().wait()


async def test_who_is_gone_and_whose_application_is_done_is_forgotten(server):
    gone, there = await serve(server, done()), await serve(server, done())
    server.protocol_disconnected(gone)
    server.application_checker()
    assert set(server.connections) == {there}  # the open connections are still known
    server.protocol_disconnected(there)
    server.application_checker()
    assert server.connections == {}
    assert server.ended == set()


async def test_an_application_that_fails_is_logged_and_its_connection_told(server, caplog):
    connected = await serve(server, broken())
    server.application_checker()
    assert "Exception inside application" in caplog.text
    assert connected.failed == 1
    server.application_checker()
    assert connected.failed == 1


async def test_an_application_that_outlives_its_connection_is_ended(server, monkeypatch, caplog):
    connected = await serve(server, forever())
    task = server.connections[connected]["application_instance"]
    server.protocol_disconnected(connected)
    server.application_checker()
    assert not task.cancelling()  # it may take its time
    monkeypatch.setattr(server, "application_close_timeout", -1)
    server.application_checker()
    await asyncio.wait([task])
    server.application_checker()
    assert task.cancelled()
    assert "took too long to shut down" in caplog.text
    assert server.connections == {}
    await quiet()  # its end is heard after it was forgotten
    server.application_checker()
    assert server.ended == set()


async def test_a_failure_on_the_way_loses_nobody(server, monkeypatch):
    connected, other = await serve(server, broken()), await serve(server, forever())

    def fail(exception):
        raise RuntimeError

    connected.handle_exception = fail
    with pytest.raises(RuntimeError):
        server.application_checker()
    assert set(server.connections) == {connected, other}
    server.connections[other]["application_instance"].cancel()


async def test_only_who_is_no_open_socket_yet_may_take_too_long(server):
    request, young, open_ = [await serve(server, forever()) for _ in range(3)]
    server.timeout_checker()
    open_.is_opened = True
    server.timeout_checker()
    server.timeout_checker()
    assert (request.asked, young.asked, open_.asked) == (3, 3, 1)
    server.protocol_disconnected(request)
    for details in server.connections.values():
        details["application_instance"].cancel()
    await quiet()
    server.application_checker()
    server.timeout_checker()
    assert (request.asked, young.asked) == (3, 4)
    assert set(server.connections) == {young, open_}


async def test_daphne_is_called_again_every_second_or_two(server):
    server.application_checker()
    server.timeout_checker()
    assert server.later == [(1, server.application_checker), (2, server.timeout_checker)]
