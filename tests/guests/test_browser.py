"""Two windows of Chromium exchange a message by the guest's own page and script."""

import re
import secrets
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

from tests.browser.window import ARGUMENTS, CHROMIUM
from tests.guests.guests import Guest
from tests.guests.site import GuestSite


@pytest.fixture
def browser(site: GuestSite) -> Iterator[Browser]:
    rules = [f"--host-resolver-rules=MAP {site.resolve[0]} {site.resolve[1]}"] if site.resolve else []
    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=CHROMIUM, args=[*ARGUMENTS, *rules])
        yield running
        running.close()


def test_a_message_from_one_window_appears_in_the_other(
    browser: Browser, site: GuestSite, guest: Guest, text: str
) -> None:
    def open_window(name: str) -> Page:
        page = browser.new_context(base_url=site.url, ignore_https_errors=True).new_page()
        page.on("pageerror", lambda error: problems.append(str(error)))
        guest.open_page(page, name)
        return page

    problems: list[str] = []
    names = [f"{name}{secrets.token_hex(4)}" for name in ("alice", "bob")]
    hers, his = (open_window(name) for name in names)
    guest.write(hers, text, to=names[1])
    expect(guest.shown(his, text)).to_be_visible()
    assert problems == []
    his.reload()
    if guest.stores:
        expect(his.locator("body")).to_contain_text(re.compile(text))
