"""Angular guide: rooms by URL, joining by a name, a client on another origin, JSON within JSON.

Its frames and requests are in angular_guide.json, both directions, as they travel through nginx, gunicorn and daphne.
"""

import asyncio
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from urllib.parse import urlsplit

import pytest
from playwright.async_api import async_playwright, expect

from tests.browser.window import ARGUMENTS, CHROMIUM
from tests.compat.transcript import Player
from tests.running import Stack

ROOM = "guide-room"


async def test_its_clients_hear_and_read_what_they_did(stack: Stack):
    await Player(stack).play(Path(__file__).parent / "angular_guide.json")


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: object) -> None:
        """The test says what went wrong."""


@pytest.fixture
def client(stack: Stack) -> Iterator[str]:
    """Where the guide's client is served: the origin that the site lets in."""
    address = urlsplit(stack.allowed_origin)
    handler = partial(Quiet, directory=str(Path(__file__).parent / "angular_guide"))
    server = ThreadingHTTPServer(("127.0.0.1", address.port or 0), handler)
    thread = Thread(target=server.serve_forever)
    thread.start()
    yield stack.allowed_origin
    server.shutdown()
    thread.join()
    server.server_close()


async def test_a_page_of_another_origin_joins_receives_and_posts_if_it_is_on_the_list(stack: Stack, client: str):
    (cookie,) = stack.people("rosa")
    async with async_playwright() as playwright, await stack.tab(cookie) as rosa:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        try:
            await rosa.join(ROOM)
            page = await browser.new_page(ignore_https_errors=True)
            await page.goto(f"{client}/#{stack.url}")
            await page.get_by_label("Name").fill("Ana")
            await page.get_by_role("button", name="Join").click()

            def ana_is_in(tab):
                changes = (event for frame in tab.frames if frame["type"] == "events" for event in frame["events"])
                return any(event["kind"] == "member" and event["member"]["user"]["name"] == "Ana" for event in changes)

            await rosa.until(ana_is_in, "Ana")
            await rosa.post(ROOM, "Welcome <b>aboard</b>")
            await expect(page.locator("li")).to_have_text(["rosa: Welcome <b>aboard</b>"])
            await page.get_by_label("Message").fill("Thanks")
            await page.get_by_role("button", name="Send").click()
            assert (await rosa.hears(ROOM, "Thanks"))["author"]["guest"]
            await expect(page.locator("li")).to_have_text(["rosa: Welcome <b>aboard</b>", "Ana: Thanks"])
            assert await page.context.cookies() == []

            stranger = await browser.new_page(ignore_https_errors=True)
            await stranger.goto(f"{client.replace('localhost', '127.0.0.1')}/#{stack.url}")
            await stranger.get_by_label("Name").fill("Eve")
            await stranger.get_by_role("button", name="Join").click()
            await expect(stranger.locator("output")).to_have_text("refused")
            token = await page.evaluate("token")
            closed = "token => new Promise((done) => { listen(token).onclose = (event) => done(event.code); })"
            assert await stranger.evaluate(closed, token) == 1006
            posted = await stranger.evaluate("token => post(token, 'Me?').then(() => 'in', () => 'out')", token)
            assert posted == "out"
        finally:
            await browser.close()


async def test_only_what_tokens_open_is_open_to_other_origins(stack: Stack):
    async with stack.browser() as anybody:
        asks = {"Origin": stack.allowed_origin, "Access-Control-Request-Method": "POST"}
        asks["Access-Control-Request-Headers"] = "authorization,content-type"

        async def allowed(path: str, **headers: str) -> tuple[str | None, str | None]:
            said = (await anybody.options(path, headers=asks | headers)).headers
            return said.get("access-control-allow-origin"), said.get("access-control-allow-credentials")

        open_to_it = ["/api/rooms/", "/api/auth/guest/", "/_allauth/app/v1/tokens/refresh", "/save_message/"]
        open_to_it.append(f"/chat/rooms/{ROOM}/user/Ana/")
        told = await asyncio.gather(*map(allowed, open_to_it))
        assert told == [(stack.allowed_origin, None)] * len(open_to_it)
        closed = ["/", "/accounts/login/", "/guest/", "/people/", "/admin/login/", f"/rooms/{ROOM}/"]
        assert await asyncio.gather(*map(allowed, closed)) == [(None, None)] * len(closed)
        assert await allowed("/api/rooms/", Origin="http://localhost:1") == (None, None)
