"""Real Chromium over https and wss. An error in a page fails the test in which it happened."""

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, WebSocket

from tests.browser.window import RoomPage, chromium, context_of
from tests.running import Stack
from tests.schema import check_command, check_reply

# Messages that a browser logs by itself when a server is not reachable.
EXPECTED = ("WebSocket connection to", "net::ERR_", "the server responded with a status of 4")


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as running:
        yield running


@pytest.fixture(scope="session")
def session_of(stack: Stack) -> Callable[[str], str]:
    """Return the session of a user by name, and create the user first if necessary."""
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
    """`visitor("alice")` opens a browser in which alice is signed in, `visitor()` one without a session."""
    opened: list[BrowserContext] = []
    problems: list[str] = []

    def watch(page: Page) -> None:
        page.on("pageerror", lambda error: problems.append(f"error: {error}"))
        page.on("dialog", lambda dialog: (problems.append(f"dialog: {dialog.message}"), dialog.dismiss()))
        page.on("console", lambda line: check_console(line))
        page.on("websocket", lambda socket: check_frames(socket))

    def check_console(line: ConsoleMessage) -> None:
        if line.type in ("error", "warning") and not any(text in line.text for text in EXPECTED):
            problems.append(f"console: {line.text}")

    def check_frames(socket: WebSocket) -> None:
        socket.on("framesent", lambda text: check(check_command, text))
        socket.on("framereceived", lambda text: check(check_reply, text))

    def check(against: Callable[[dict[str, Any]], None], text: str | bytes) -> None:
        try:
            against(json.loads(text))
        except Exception as error:  # Playwright ignores errors in callbacks
            problems.append(f"frame: {str(text)[:200]}: {error!r}"[:600])

    def open_context(name: str = "", **options: Any) -> BrowserContext:
        context = context_of(browser, stack, session_of(name) if name else "", **options)
        context.on("page", watch)
        opened.append(context)
        return context

    yield open_context
    for context in opened:
        context.close()
    assert problems == []


@pytest.fixture
def enter(visitor: Callable[..., BrowserContext]) -> Callable[..., RoomPage]:
    """`enter("alice", "harbour")` opens the room in a browser of its own, in which alice is signed in."""

    def open_room(name: str, slug: str, **options: Any) -> RoomPage:
        room = RoomPage(visitor(name, **options).new_page(), slug)
        room.wait_until_joined()
        return room

    return open_room
