"""A plain request to a WebSocket address: the answer names the server that it reached."""

import pytest

from tests.acceptance.site import Site
from tests.chat_client import ChatClient


@pytest.mark.parametrize("path", ["/ws/", "/ws/chat/harbour/"])
async def test_a_plain_request_to_a_websocket_address_is_answered_by_asgi(site: Site, path: str) -> None:
    answer = await site.get(path)
    assert answer.status_code == 426
    assert answer.headers["upgrade"] == "websocket"
    body = answer.json()
    assert body["hop"] == "asgi"
    assert body["host"] == site.url.removeprefix("https://")
    if "nginx" in site.traits:
        assert body["forwarded_proto"] == "https"


async def test_a_websocket_address_that_does_not_exist_is_reported(site: Site) -> None:
    client = ChatClient(await site.wss("/ws/nowhere/"))
    await client.open()
    assert await client.wait_closed() == 4400
    assert "no socket at this address" in client.frames[-1]["reason"]
