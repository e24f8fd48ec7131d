"""The server checks only connections that have ended or may time out, and checks all of those."""

import asyncio
from types import SimpleNamespace

import daphne.server
import pytest

from channels_realtime.server import DrainingServer
from tests.clock import quiet


class FakeConnection:
    """A connection as daphne's server uses it. Counts the timeout checks and the reported application failures."""

    opened = False

    def __init__(self):
        self.timeout_checks = self.failures = 0

    def check_timeouts(self):
        self.timeout_checks += 1

    def handle_exception(self, exception):
        self.failures += 1


@pytest.fixture
async def server(monkeypatch):
    scheduled = []
    monkeypatch.setattr(daphne.server, "reactor", SimpleNamespace(callLater=lambda *call: scheduled.append(call)))
    server = DrainingServer(None, endpoints=["unix:nowhere"])
    server.connections, server.opening, server.ended, server.writers = {}, set(), set(), set()
    server.scheduled_calls = scheduled
    return server


async def serve(server, application):
    """Return a new HTTP connection that runs this application."""

    def run(scope, receive, send):
        return application

    server.application = run
    connection = FakeConnection()
    server.protocol_connected(connection)
    server.create_application(connection, {"type": "http"})
    await quiet()
    return connection


async def returns():
    pass


async def fails():
    raise ValueError


async def never_returns():
    await asyncio.Event().wait()


async def test_a_closed_connection_whose_application_has_returned_is_removed(server):
    closed, open_ = await serve(server, returns()), await serve(server, returns())
    server.protocol_disconnected(closed)
    server.application_checker()
    assert set(server.connections) == {open_}  # an open connection stays
    server.protocol_disconnected(open_)
    server.application_checker()
    assert server.connections == {}
    assert server.ended == set()


async def test_an_application_failure_is_logged_and_reported_to_its_connection(server, caplog):
    connection = await serve(server, fails())
    server.application_checker()
    assert "Exception inside application" in caplog.text
    assert connection.failures == 1
    server.application_checker()
    assert connection.failures == 1


async def test_an_application_that_outlives_its_connection_is_cancelled_after_the_timeout(server, monkeypatch, caplog):
    connection = await serve(server, never_returns())
    task = server.connections[connection]["application_instance"]
    server.protocol_disconnected(connection)
    server.application_checker()
    assert not task.cancelling()  # the timeout has not passed
    monkeypatch.setattr(server, "application_close_timeout", -1)
    server.application_checker()
    await asyncio.wait([task])
    server.application_checker()
    assert task.cancelled()
    assert "took too long to shut down" in caplog.text
    assert server.connections == {}
    await quiet()  # the task's callback runs after the connection was removed
    server.application_checker()
    assert server.ended == set()


async def test_a_check_that_fails_removes_no_connection(server, monkeypatch):
    connection, other = await serve(server, fails()), await serve(server, never_returns())

    def fail(exception):
        raise RuntimeError

    connection.handle_exception = fail
    with pytest.raises(RuntimeError):
        server.application_checker()
    assert set(server.connections) == {connection, other}
    server.connections[other]["application_instance"].cancel()


async def test_only_requests_and_unfinished_handshakes_are_checked_for_timeouts(server):
    request, handshaking, open_ = [await serve(server, never_returns()) for _ in range(3)]
    server.timeout_checker()
    open_.is_opened = True
    server.timeout_checker()
    server.timeout_checker()
    assert (request.timeout_checks, handshaking.timeout_checks, open_.timeout_checks) == (3, 3, 1)
    server.protocol_disconnected(request)
    for details in server.connections.values():
        details["application_instance"].cancel()
    await quiet()
    server.application_checker()
    server.timeout_checker()
    assert (request.timeout_checks, handshaking.timeout_checks) == (3, 4)
    assert set(server.connections) == {handshaking, open_}


async def test_the_checks_are_scheduled_every_one_and_two_seconds(server):
    server.application_checker()
    server.timeout_checker()
    assert server.scheduled_calls == [(1, server.application_checker), (2, server.timeout_checker)]
