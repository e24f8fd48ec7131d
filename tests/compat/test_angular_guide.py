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


async def test_every_recorded_answer_is_unchanged(stack: Stack):
    await Player(stack).play(Path(__file__).parent / "angular_guide.json")


class QuietHandler(SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: object) -> None:
        """Log nothing: a failing test shows what went wrong."""


@pytest.fixture
def client(stack: Stack) -> Iterator[str]:
    """Serve the guide's client at the origin that the site allows. Returns that origin."""
    address = urlsplit(stack.allowed_origin)
    handler = partial(QuietHandler, directory=str(Path(__file__).parent / "angular_guide"))
    server = ThreadingHTTPServer(("127.0.0.1", address.port or 0), handler)
    thread = Thread(target=server.serve_forever)
    thread.start()
    yield stack.allowed_origin
    server.shutdown()
    thread.join()
    server.server_close()


async def test_a_page_of_an_allowed_origin_can_join_receive_and_post_and_no_other_page_can(stack: Stack, client: str):
    (cookie,) = stack.people("rosa")
    async with async_playwright() as playwright, await stack.connect(cookie) as rosa:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        try:
            await rosa.join(ROOM)
            page = await browser.new_page(ignore_https_errors=True)
            await page.goto(f"{client}/#{stack.url}")
            await page.get_by_label("Name").fill("Ana")
            await page.get_by_role("button", name="Join").click()

            def has_ana_joined(client):
                changes = (event for frame in client.frames if frame["type"] == "events" for event in frame["events"])
                return any(event["kind"] == "member" and event["member"]["user"]["name"] == "Ana" for event in changes)

            await rosa.wait_until(has_ana_joined, "Ana")
            await rosa.post(ROOM, "Welcome <b>aboard</b>")
            await expect(page.locator("li")).to_have_text(["rosa: Welcome <b>aboard</b>"])
            await page.get_by_label("Message").fill("Thanks")
            await page.get_by_role("button", name="Send").click()
            assert (await rosa.wait_for_message(ROOM, "Thanks"))["author"]["guest"]
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
            posted = await stranger.evaluate(
                "token => post(token, 'Me?').then(() => 'accepted', () => 'refused')", token
            )
            assert posted == "refused"
        finally:
            await browser.close()


async def test_only_endpoints_that_accept_tokens_allow_other_origins(stack: Stack):
    async with stack.browser() as browser:
        preflight = {"Origin": stack.allowed_origin, "Access-Control-Request-Method": "POST"}
        preflight["Access-Control-Request-Headers"] = "authorization,content-type"

        async def cors_headers(path: str, **headers: str) -> tuple[str | None, str | None]:
            answer = (await browser.options(path, headers=preflight | headers)).headers
            return answer.get("access-control-allow-origin"), answer.get("access-control-allow-credentials")

        allowed_paths = ["/api/rooms/", "/api/auth/guest/", "/_allauth/app/v1/tokens/refresh", "/save_message/"]
        allowed_paths.append(f"/chat/rooms/{ROOM}/user/Ana/")
        answers = await asyncio.gather(*map(cors_headers, allowed_paths))
        assert answers == [(stack.allowed_origin, None)] * len(allowed_paths)
        other_paths = ["/", "/accounts/login/", "/guest/", "/people/", "/admin/login/", f"/rooms/{ROOM}/"]
        assert await asyncio.gather(*map(cors_headers, other_paths)) == [(None, None)] * len(other_paths)
        assert await cors_headers("/api/rooms/", Origin="http://localhost:1") == (None, None)
