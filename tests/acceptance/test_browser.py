"""Two real browsers: one sends a message, the other shows it."""

import os
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

from tests.acceptance.site import Site
from tests.browser.window import ARGUMENTS, CHROMIUM


@pytest.fixture
def home(site: Site, tmp_path: Path) -> Path:
    """The home folder of Chromium, with a certificate store that trusts the site's authority."""
    store = tmp_path / ".pki" / "nssdb"
    store.mkdir(parents=True)
    certutil = ["certutil", "-d", f"sql:{store}"]
    subprocess.run([*certutil, "-N", "--empty-password"], check=True)
    if site.ca:
        subprocess.run([*certutil, "-A", "-n", "site", "-t", "C,,", "-i", str(site.ca)], check=True)
    return tmp_path


@pytest.fixture
def browser(site: Site, home: Path) -> Iterator[Browser]:
    rules = [f"--host-resolver-rules=MAP {site.resolve[0]} {site.resolve[1]}"] if site.resolve else []
    with sync_playwright() as playwright:
        running = playwright.chromium.launch(
            executable_path=CHROMIUM, args=[*ARGUMENTS, *rules], env={**os.environ, "HOME": str(home)}
        )
        yield running
        running.close()


def come_in(browser: Browser, site: Site, name: str, room: str) -> Page:
    """Somebody follows a link to the room, and gives a name; no warning about the certificate is in the way."""
    page = browser.new_context(base_url=site.url).new_page()
    page.goto(f"/rooms/{room}/")
    page.get_by_label("Your name").fill(name)
    page.get_by_role("button", name="Join").click()
    expect(page.locator("#pill")).to_have_text("connected")
    return page


def test_a_message_from_one_browser_appears_in_the_other(browser: Browser, site: Site, room: str) -> None:
    alice, bob = come_in(browser, site, "Alice", room), come_in(browser, site, "Bob", room)
    alice.locator("#body").fill("Hello over there")
    alice.locator("#body").press("Enter")
    message = bob.locator("#messages > .message", has_text="Hello over there")
    expect(message.locator(".author bdi")).to_have_text("Alice")
    expect(alice.locator("#messages > .message", has_text="Hello over there")).to_have_attribute(
        "data-id", re.compile(r"\d+")
    )
