"""A socket's address, asked like a page: the answer names the program that was reached."""

import pytest

from tests.acceptance.site import Site
from tests.tab import Tab


@pytest.mark.parametrize("path", ["/ws/", "/ws/chat/harbour/"])
async def test_plain_http_on_a_socket_address_is_answered_by_asgi(site: Site, path: str) -> None:
    answer = await site.get(path)
    assert answer.status_code == 426
    assert answer.headers["upgrade"] == "websocket"
    said = answer.json()
    assert said["hop"] == "asgi"
    assert said["host"] == site.url.removeprefix("https://")
    if "nginx" in site.traits:
        assert said["forwarded_proto"] == "https"


async def test_an_address_without_a_socket_says_so(site: Site) -> None:
    tab = Tab(await site.wss("/ws/nowhere/"))
    await tab.open()
    assert await tab.end() == 4400
    assert "no socket at this address" in tab.frames[-1]["reason"]
