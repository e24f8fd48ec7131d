"""An unknown address is a clean refusal, and an error in a consumer is in the log once, with the address."""

import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus

from tests.site import tutorial

CONSUMERS = """
from channels.generic.websocket import AsyncWebsocketConsumer


class ChatConsumer(AsyncWebsocketConsumer):
    async def connect(self):
        if self.scope["url_route"]["kwargs"]["room_name"] == "early":
            raise LookupError("before accept")
        if self.scope["url_route"]["kwargs"]["room_name"] == "refused":
            await self.close()
            return
        await self.accept()

    async def receive(self, text_data):
        raise LookupError("after accept")
"""


@pytest.fixture(scope="module")
def server(tmp_path_factory, redis_url):
    from tests.site.project import Project

    project = Project(
        tmp_path_factory.mktemp("errors"), tutorial.with_files(chat__consumers=CONSUMERS), redis_url=redis_url
    )
    project.migrate()
    with project.sockets() as running:
        yield running


async def refusal_of(server, path):
    with pytest.raises(InvalidStatus) as refusal:
        await server.connect(path)
    return refusal.value.response


async def refused(server, path):
    return (await refusal_of(server, path)).status_code


async def test_an_address_without_a_socket_is_refused(server):
    answer = await refusal_of(server, "/ws/nothing/")
    assert (answer.status_code, "X-Refused-By" in answer.headers) == (403, False)
    assert "Socket refused at /ws/nothing/: the project has no socket at this address." in server.log()
    assert "No route found" not in server.log()


async def test_an_error_before_the_accept_is_a_500_and_one_log_entry(server):
    assert await refused(server, "/ws/chat/early/") == 500
    log = server.log()
    assert log.count("The socket at /ws/chat/early/ failed") == 1
    assert log.count("LookupError: before accept") == 1


async def test_an_error_after_the_accept_closes_with_1011_and_is_one_log_entry(server):
    async with server.connect("/ws/chat/late/") as client:
        await client.send("x")
        with pytest.raises(ConnectionClosed) as closed:
            await client.recv()
    assert closed.value.rcvd.code == 1011
    log = server.log()
    assert log.count("The socket at /ws/chat/late/ failed") == 1
    assert log.count("LookupError: after accept") == 1


async def test_a_refusal_of_the_project_is_logged_and_marked(server):
    answer = await refusal_of(server, "/ws/chat/refused/")
    assert (answer.status_code, answer.headers["X-Refused-By"]) == (403, "application")
    assert "The application refused the WebSocket /ws/chat/refused/" in server.log()
