"""JWT + React chat: sign-in with tokens, contacts, conversations of two, `fetch_messages` and `new_message`.

Its frames and requests are in jwt_react_chat.json, both directions, as they travel through nginx, gunicorn and daphne.
"""

import hmac
import json
import time
from pathlib import Path

import httpx
import jwt
import pytest

from tests.chat_client import ChatClient, Closed
from tests.compat.transcript import Player
from tests.running import TRUSTING, Stack, Wss

PASSWORD = "correct horse battery staple"
REFRESH = "/_allauth/app/v1/tokens/refresh"


async def test_every_recorded_answer_is_unchanged(stack: Stack):
    await Player(stack).play(Path(__file__).parent / "jwt_react_chat.json")


class Program:
    """A client with tokens and no cookies."""

    def __init__(self, stack, name):
        self.stack, self.name = stack, name

    async def request(self, method, path, token="", **options):
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        async with httpx.AsyncClient(base_url=self.stack.url, verify=TRUSTING, timeout=60) as client:
            return await client.request(method, path, headers=headers, **options)

    async def __aenter__(self):
        answer = await self.request("POST", "/api/auth/register/", json={"username": self.name, "password": PASSWORD})
        assert answer.status_code == 201, answer.text
        self.tokens = answer.json()
        self.access = self.tokens["access_token"]
        return self

    async def __aexit__(self, *error):
        await self.request("DELETE", "/_allauth/app/v1/auth/session", self.access)

    def claims(self):
        return jwt.decode(self.access, options={"verify_signature": False})

    def sign_token(self, key="", **changes):
        """Return her access token with these claims changed, signed with the site's key or with `key`."""
        site = hmac.digest(self.stack.secret_key().encode(), b"accounts.tokens", "sha256").hex()
        return jwt.encode(self.claims() | changes, key or site, algorithm="HS256")

    async def open_socket(self):
        """Return a WebSocket client that has not sent hello."""
        opened = ChatClient(await Wss.open(self.stack, "", origin=None), timeout_seconds=60)
        await opened.open()
        return opened


FORGED = {
    "none-alg": lambda hers: jwt.encode(hers.claims(), None, algorithm="none"),
    "wrong key": lambda hers: hers.sign_token("another-key-" * 5),
    "expired": lambda hers: hers.sign_token(exp=int(time.time()) - 1),
    "tampered": lambda hers: hers.access[:-8] + "AAAAAAAA",
    "a refresh token": lambda hers: hers.tokens["refresh_token"],
}


@pytest.mark.parametrize("forgery", FORGED)
async def test_a_forged_token_is_refused_with_401_and_4401(stack: Stack, forgery):
    async with Program(stack, f"forger-{forgery.replace(' ', '-')}") as hers:
        assert (
            await hers.request("GET", "/api/rooms/", hers.sign_token())
        ).status_code == 200  # a token signed in this way is valid
        forged = FORGED[forgery](hers)
        assert (await hers.request("GET", "/api/rooms/", forged)).status_code == 401
        socket = await hers.open_socket()
        await socket.send_command("hello", token=forged)
        assert await socket.wait_closed() == 4401
        await socket.__aexit__(None, None, None)


async def test_using_a_refresh_token_twice_revokes_all_tokens_of_its_session(stack: Stack):
    async with Program(stack, "twice") as hers:
        first = {"refresh_token": hers.tokens["refresh_token"]}
        renewed = (await hers.request("POST", REFRESH, json=first)).json()["data"]
        assert (await hers.request("GET", "/api/rooms/", renewed["access_token"])).status_code == 200
        assert (await hers.request("POST", REFRESH, json=first)).status_code == 401
        second = {"refresh_token": renewed["refresh_token"]}
        assert (await hers.request("POST", REFRESH, json=second)).status_code == 401
        for token in (hers.access, renewed["access_token"]):
            assert (await hers.request("GET", "/api/rooms/", token)).status_code == 401


async def test_a_socket_with_a_renewed_token_stays_open_and_one_without_is_closed(stack: Stack):
    async with Program(stack, "renewed") as hers:
        soon = hers.sign_token(exp=time.time() + 3)
        renewed, not_renewed = await hers.open_socket(), await hers.open_socket()
        for socket in (renewed, not_renewed):
            await socket.request("hello", token=soon)
            await socket.join("renewal")
            assert 0 < (await socket.wait_for_frame("auth_expiring"))["in"] <= 3
        await renewed.request("auth", token=hers.access)
        assert await not_renewed.wait_closed() == 4401
        await renewed.post("renewal", "still here")
        await renewed.wait_for_message("renewal", "still here")
        assert [frame["type"] for frame in renewed.frames].count("welcome") == 1
        for socket in (renewed, not_renewed):
            await socket.__aexit__(None, None, None)


async def test_signing_out_revokes_the_access_token_for_the_api_and_for_sockets(stack: Stack):
    async with Program(stack, "leaving") as hers:
        assert (await hers.request("DELETE", "/_allauth/app/v1/auth/session", hers.access)).status_code == 401
        assert (await hers.request("GET", "/api/chats/", hers.access)).status_code == 401
        socket = await Wss.open(
            stack,
            "",
            origin=None,
            subprotocols=None,
            path="/ws/chat/~AAAAAAAAAAAAAAAA/",
            additional_headers={"Authorization": f"Bearer {hers.access}"},
        )
        assert json.loads(await socket.receive()) == {"command": "error", "error": "The access token is not valid."}
        with pytest.raises(Closed, match="4401"):
            await socket.receive()
