"""Two real browsers: one says something, the other reads it."""

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

from tests.acceptance.site import Site
from tests.browser.window import ARGUMENTS, CHROMIUM


@pytest.fixture
def browser(site: Site) -> Iterator[Browser]:
    rules = [f"--host-resolver-rules=MAP {site.resolve[0]} {site.resolve[1]}"] if site.resolve else []
    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=CHROMIUM, args=[*ARGUMENTS, *rules])
        yield running
        running.close()


def come_in(browser: Browser, site: Site, name: str, room: str) -> Page:
    """Somebody follows a link to the room, and gives a name. Chromium knows no private authority."""
    page = browser.new_context(base_url=site.url, ignore_https_errors=site.ca is not None).new_page()
    page.goto(f"/rooms/{room}/")
    page.get_by_label("Your name").fill(name)
    page.get_by_role("button", name="Come in").click()
    expect(page.locator("#pill")).to_have_text("connected")
    return page


def test_what_one_types_the_other_reads(browser: Browser, site: Site, room: str) -> None:
    alice, bob = come_in(browser, site, "Alice", room), come_in(browser, site, "Bob", room)
    alice.locator("#body").fill("Hello over there")
    alice.locator("#body").press("Enter")
    said = bob.locator("#messages > .message", has_text="Hello over there")
    expect(said.locator(".who bdi")).to_have_text("Alice")
    expect(alice.locator("#messages > .message", has_text="Hello over there")).to_have_attribute(
        "data-id", re.compile(r"\d+")
    )
