"""Chromium, as a person uses it: who is signed in, and the words a test says about a room's page."""

import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from playwright.sync_api import Browser, BrowserContext, Locator, Page, expect, sync_playwright

from tests.running import Stack

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or "/usr/bin/chromium"
ARGUMENTS = [
    "--no-sandbox",  # it is ours alone, and tests may run as root
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


@contextmanager
def chromium() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield browser
        browser.close()


def context_of(browser: Browser, stack: Stack, session: str = "", **options: Any) -> BrowserContext:
    """A browser of its own; signed in when a session is given. The stack's certificate is its own, hence unknown."""
    context = browser.new_context(base_url=stack.url, ignore_https_errors=True, locale="en-GB", **options)
    if session:
        context.add_cookies([{"name": "sessionid", "value": session, "url": stack.url, "secure": True}])
    return context


class RoomPage:
    """The page of a room."""

    def __init__(self, page: Page, slug: str) -> None:
        self.page = page
        page.goto(f"/rooms/{slug}/")
        self.pill = page.locator("#pill")
        self.composer = page.locator("#body")
        self.messages = page.locator("#messages > .message")

    def message(self, words: str) -> Locator:
        """The one message with exactly these words."""
        return self.messages.filter(has=self.page.locator(".body", has_text=re.compile(rf"^\s*{re.escape(words)}\s*$")))

    def say(self, words: str) -> None:
        self.composer.fill(words)
        self.composer.press("Enter")

    def has(self, words: str) -> None:
        """It is here, once, and not as something unsent."""
        expect(self.message(words)).to_have_count(1)
        expect(self.message(words)).to_have_attribute("data-id", re.compile(r"\d+"))
        expect(self.message(words).locator(".delivery")).to_be_hidden()

    def do(self, words: str, action: str) -> None:
        """Use the toolbar of a message."""
        self.message(words).hover()
        self.message(words).get_by_role("button", name=action, exact=True).click()

    def is_up(self) -> None:
        """Connected, and in the room."""
        expect(self.pill).to_have_text("connected")
        expect(self.page.locator("#loading")).to_be_hidden()
