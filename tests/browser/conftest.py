"""Real Chromium over https and wss. Everything a page complains of fails the test it happened in."""

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, WebSocket

from tests.browser.window import RoomPage, chromium, context_of
from tests.running import Stack
from tests.schema import check_command, check_reply

# What a browser says by itself when a server is away.
EXPECTED = ("WebSocket connection to", "net::ERR_", "the server responded with a status of 4")


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as running:
        yield running


@pytest.fixture(scope="session")
def session_of(stack: Stack) -> Callable[[str], str]:
    """The session of a person, who is made when first asked for."""
    known: dict[str, str] = {}

    def find(name: str) -> str:
        if name not in known:
            (known[name],) = stack.people(name)
        return known[name]

    return find


@pytest.fixture
def visitor(
    browser: Browser, stack: Stack, session_of: Callable[[str], str]
) -> Iterator[Callable[..., BrowserContext]]:
    """`visitor("alice")`: a browser in which alice is signed in; without a name, one of a stranger."""
    opened: list[BrowserContext] = []
    complaints: list[str] = []

    def watch(page: Page) -> None:
        page.on("pageerror", lambda error: complaints.append(f"error: {error}"))
        page.on("dialog", lambda dialog: (complaints.append(f"dialog: {dialog.message}"), dialog.dismiss()))
        page.on("console", lambda line: listen(line))
        page.on("websocket", lambda socket: check_frames(socket))

    def listen(line: ConsoleMessage) -> None:
        if line.type in ("error", "warning") and not any(words in line.text for words in EXPECTED):
            complaints.append(f"console: {line.text}")

    def check_frames(socket: WebSocket) -> None:
        socket.on("framesent", lambda text: check(check_command, text))
        socket.on("framereceived", lambda text: check(check_reply, text))

    def check(against: Callable[[dict[str, Any]], None], text: str | bytes) -> None:
        try:
            against(json.loads(text))
        except Exception as error:  # it would be lost in the callback
            complaints.append(f"frame: {str(text)[:200]}: {error!r}"[:600])

    def open_context(name: str = "", **options: Any) -> BrowserContext:
        context = context_of(browser, stack, session_of(name) if name else "", **options)
        context.on("page", watch)
        opened.append(context)
        return context

    yield open_context
    for context in opened:
        context.close()
    assert complaints == []


@pytest.fixture
def enter(visitor: Callable[..., BrowserContext]) -> Callable[..., RoomPage]:
    """`enter("alice", "harbour")`: alice has the room open, in a browser of her own."""

    def open_room(name: str, slug: str, **options: Any) -> RoomPage:
        room = RoomPage(visitor(name, **options).new_page(), slug)
        room.is_up()
        return room

    return open_room
