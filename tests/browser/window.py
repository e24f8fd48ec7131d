"""Chromium for tests: a browser context of a user, and the page of a room with its usual steps."""

import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from playwright.sync_api import Browser, BrowserContext, Locator, Page, expect, sync_playwright

from tests.running import Stack

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or "/usr/bin/chromium"
ARGUMENTS = [
    "--no-sandbox",  # tests may run as root
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
    """Open a browser context, signed in if a session is given. It accepts a self-signed certificate."""
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

    def message(self, text: str) -> Locator:
        """Locate the messages with exactly this text."""
        return self.messages.filter(has=self.page.locator(".body", has_text=re.compile(rf"^\s*{re.escape(text)}\s*$")))

    def send(self, text: str) -> None:
        self.composer.fill(text)
        self.composer.press("Enter")

    def expect_message(self, text: str) -> None:
        """Expect the message to be shown once, and to be sent."""
        expect(self.message(text)).to_have_count(1)
        expect(self.message(text)).to_have_attribute("data-id", re.compile(r"\d+"))
        expect(self.message(text).locator(".delivery")).to_be_hidden()

    def use_toolbar(self, text: str, action: str) -> None:
        """Click a button in the toolbar of the message with this text."""
        self.message(text).hover()
        self.message(text).get_by_role("button", name=action, exact=True).click()

    def wait_until_joined(self) -> None:
        """Wait until the page is connected and the room is loaded."""
        expect(self.pill).to_have_text("connected")
        expect(self.page.locator("#loading")).to_be_hidden()
