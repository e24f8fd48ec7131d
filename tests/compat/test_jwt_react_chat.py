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

from tests.compat.transcript import Player
from tests.running import TRUSTING, Stack, Wss
from tests.tab import Closed, Tab

PASSWORD = "correct horse battery staple"
REFRESH = "/_allauth/app/v1/tokens/refresh"


async def test_its_clients_hear_and_read_what_they_did(stack: Stack):
    await Player(stack).play(Path(__file__).parent / "jwt_react_chat.json")


class Program:
    """A client with tokens and no cookies."""

    def __init__(self, stack, name):
        self.stack, self.name = stack, name

    async def ask(self, method, path, token="", **options):
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        async with httpx.AsyncClient(base_url=self.stack.url, verify=TRUSTING, timeout=60) as client:
            return await client.request(method, path, headers=headers, **options)

    async def __aenter__(self):
        said = await self.ask("POST", "/api/auth/register/", json={"username": self.name, "password": PASSWORD})
        assert said.status_code == 201, said.text
        self.tokens = said.json()
        self.access = self.tokens["access_token"]
        return self

    async def __aexit__(self, *error):
        await self.ask("DELETE", "/_allauth/app/v1/auth/session", self.access)

    def claims(self):
        return jwt.decode(self.access, options={"verify_signature": False})

    def signed(self, key="", **changes):
        """Her access token with these changes, signed by the site's own key or another."""
        site = hmac.digest(self.stack.secret_key().encode(), b"accounts.tokens", "sha256").hex()
        return jwt.encode(self.claims() | changes, key or site, algorithm="HS256")

    async def socket(self):
        """A socket that has said nothing yet."""
        opened = Tab(await Wss.open(self.stack, "", origin=None), timeout_seconds=60)
        await opened.open()
        return opened


FORGED = {
    "none-alg": lambda hers: jwt.encode(hers.claims(), None, algorithm="none"),
    "wrong key": lambda hers: hers.signed("another-key-" * 5),
    "expired": lambda hers: hers.signed(exp=int(time.time()) - 1),
    "tampered": lambda hers: hers.access[:-8] + "AAAAAAAA",
    "a refresh token": lambda hers: hers.tokens["refresh_token"],
}


@pytest.mark.parametrize("forgery", FORGED)
async def test_a_forged_token_is_401_and_4401(stack: Stack, forgery):
    async with Program(stack, f"forger-{forgery.replace(' ', '-')}") as hers:
        assert (await hers.ask("GET", "/api/rooms/", hers.signed())).status_code == 200  # the key is the right one
        forged = FORGED[forgery](hers)
        assert (await hers.ask("GET", "/api/rooms/", forged)).status_code == 401
        socket = await hers.socket()
        await socket.say("hello", token=forged)
        assert await socket.end() == 4401
        await socket.__aexit__(None, None, None)


async def test_a_refresh_token_that_comes_again_ends_its_family(stack: Stack):
    async with Program(stack, "twice") as hers:
        first = {"refresh_token": hers.tokens["refresh_token"]}
        renewed = (await hers.ask("POST", REFRESH, json=first)).json()["data"]
        assert (await hers.ask("GET", "/api/rooms/", renewed["access_token"])).status_code == 200
        assert (await hers.ask("POST", REFRESH, json=first)).status_code == 401
        second = {"refresh_token": renewed["refresh_token"]}
        assert (await hers.ask("POST", REFRESH, json=second)).status_code == 401
        for token in (hers.access, renewed["access_token"]):
            assert (await hers.ask("GET", "/api/rooms/", token)).status_code == 401


async def test_a_socket_is_renewed_without_reconnecting_and_one_that_is_not_ends(stack: Stack):
    async with Program(stack, "renewed") as hers:
        soon = hers.signed(exp=time.time() + 3)
        kept, left_alone = await hers.socket(), await hers.socket()
        for socket in (kept, left_alone):
            await socket.ask("hello", token=soon)
            await socket.join("renewal")
            assert 0 < (await socket.frame("auth_expiring"))["in"] <= 3
        await kept.ask("auth", token=hers.access)
        assert await left_alone.end() == 4401
        await kept.post("renewal", "still here")
        await kept.hears("renewal", "still here")
        assert [frame["type"] for frame in kept.frames].count("welcome") == 1
        for socket in (kept, left_alone):
            await socket.__aexit__(None, None, None)


async def test_signing_out_ends_the_token_and_what_it_could_open(stack: Stack):
    async with Program(stack, "leaving") as hers:
        assert (await hers.ask("DELETE", "/_allauth/app/v1/auth/session", hers.access)).status_code == 401
        assert (await hers.ask("GET", "/api/chats/", hers.access)).status_code == 401
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
