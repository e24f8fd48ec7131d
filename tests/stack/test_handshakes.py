"""Which handshakes are accepted, and how the others are refused, through nginx and daphne."""

import json

import httpx
import pytest
from websockets.exceptions import InvalidStatus

from tests.chat_client import ChatClient, Closed
from tests.running import Stack, Wss


@pytest.mark.parametrize("origin", [None, "null", "https://evil.example", "https://localhost"])
async def test_a_cookie_with_a_foreign_or_missing_origin_is_refused_and_the_reason_is_logged(stack: Stack, origin):
    (cookie,) = stack.people("ann")
    with pytest.raises(InvalidStatus) as refused:
        await Wss.open(stack, cookie, origin=origin)
    assert refused.value.response.status_code == 403
    reason = "The request has cookies, but no Origin." if origin is None else f"Origin {origin!r} is neither this host"
    await stack.wait_for_log(f"Socket refused: {reason}")


async def test_a_socket_without_a_session_is_closed_with_4401(stack: Stack):
    client = await stack.connect("")
    await client.open()
    await client.send_command("hello")
    assert await client.wait_closed() == 4401
    assert client.frames[-1]["reconnect_in"] is None


@pytest.mark.parametrize(
    ("frame", "code"),
    [
        (b"\x00\x01", 1003),  # binary
        ("x" * 70_000, 1009),
        ('{"a":' * 10_000, 4400),
        ("no json", 4400),
    ],
    ids=["binary", "too big", "deep", "malformed"],
)
async def test_an_unacceptable_frame_closes_the_socket_with_its_close_code(stack: Stack, frame, code):
    (cookie,) = stack.people("ann")
    async with await stack.connect(cookie) as client:
        await client.transport.connection.send(frame)
        assert await client.wait_closed() == code


async def test_invalid_utf8_closes_the_socket_with_1007(stack: Stack):
    (cookie,) = stack.people("ann")
    async with await stack.connect(cookie) as client:
        await client.transport.connection.send(b"\xff\xfe", text=True)
        assert await client.wait_closed() == 1007


async def test_the_address_of_a_room_joins_that_room(stack: Stack):
    (cookie,) = stack.people("ann")
    async with await stack.connect(cookie, path="/ws/chat/by-address/") as client:
        assert (await client.wait_for_frame("joined"))["room"] == "by-address"


async def test_an_unknown_address_is_closed_with_the_reason(stack: Stack):
    (cookie,) = stack.people("ann")
    client = await stack.connect(cookie, path="/ws/nowhere/")
    await client.open()
    assert await client.wait_closed() == 4400
    assert "no socket at this address" in client.frames[-1]["reason"]


async def test_a_socket_without_the_subprotocol_is_closed_with_a_reason_that_names_it(stack: Stack):
    (cookie,) = stack.people("ann")
    client = ChatClient(await Wss.open(stack, cookie, subprotocols=None))
    await client.open()
    assert await client.wait_closed() == 4400
    assert "parley.v1" in client.frames[-1]["reason"]


async def test_a_plain_http_request_to_a_websocket_address_gets_426_that_names_the_hop(stack: Stack):
    async with stack.browser() as browser:
        answer = await browser.get("/ws/")
    assert answer.status_code == 426
    assert answer.headers["upgrade"] == "websocket"
    assert answer.json() == {
        "hop": "asgi",
        "http_version": "1.1",
        "upgrade": None,
        "connection": "close",
        "host": stack.url.removeprefix("https://"),
        "forwarded_proto": "https",
    }
    web = httpx.AsyncHTTPTransport(uds=str(stack.folder / "var/run/web.sock"))
    async with httpx.AsyncClient(transport=web, base_url="http://localhost") as direct:
        answer = await direct.get("/ws/chat/x/", headers={"Upgrade": "websocket", "Connection": "Upgrade"})
    assert (answer.status_code, answer.json()["hop"], answer.json()["upgrade"]) == (426, "wsgi", "websocket")


async def test_daphne_alone_serves_pages_too(stack: Stack):
    daphne = httpx.AsyncHTTPTransport(uds=str(stack.folder / "var/run/ws1.sock"))
    headers = {"X-Forwarded-Proto": "https"}
    async with httpx.AsyncClient(transport=daphne, base_url="http://localhost", headers=headers) as direct:
        assert "Parley" in (await direct.get("/")).text
        assert json.loads((await direct.get("/readyz")).text)["ready"] is True


async def test_a_malformed_frame_logs_no_traceback(stack: Stack):
    with pytest.raises(Closed):
        async with await stack.connect(stack.people("ann")[0]) as client:
            await client.transport.send("{")
            await client.wait_until(lambda _: False)
    assert "Traceback" not in stack.log()
