"""axe-core finds no problem on any page, on desktop and phone, in light and dark, and nothing is too wide."""

from collections.abc import Callable
from functools import cache

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from tests.running import REPO, Stack

Visitor = Callable[..., BrowserContext]
DESK = {"viewport": {"width": 1280, "height": 800}}
PHONE = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True}
AXE = REPO / "node_modules/axe-core/axe.min.js"  # `make test` installs it
RUN = """() => axe.run({ resultTypes: ["violations"] }).then(({ violations }) => violations.map(
  ({ id, nodes }) => `${id}: ${nodes.map(({ html, any }) => html + any.map(({ message }) => message))}`))"""
WIDER = """() => [document.documentElement, ...document.querySelectorAll("main, nav, header, section, .card, .scroll")]
  .filter(({ scrollWidth, clientWidth }) => scrollWidth > clientWidth && clientWidth > 0)
  .map(({ outerHTML }) => outerHTML.slice(0, 200))"""

FILL = """
from accounts.models import User
from chat.models import Membership
from chat.services import invitations, members, rooms
from tests.browser import harbour
a, b, c = (User.objects.get_or_create(username=f"axe-{n}")[0] for n in ("owner", "guest-of-hers", "banned"))
for user in (a, b, c):
    rooms.join_room(slug="axe", user=user)
harbour.talk("axe", "axe-guest-of-hers", 3)
members.set_role(slug="axe", by=a, user=b.pk, role="moderator")
members.remove_member(slug="axe", by=a, user=c.pk, ban=True)
private = rooms.create_private_room(title="Axe and the others", owner=a).slug
print(private, rooms.open_direct_room(me=a, other=b).slug, invitations.create_invitation(slug=private, by=a).token)
"""


@pytest.fixture(scope="session")
def places(stack: Stack) -> tuple[str, str, str]:
    """A private room, a direct room, the token of an invitation."""
    private, direct, token = stack.run_python(FILL).split()
    return private, direct, token


@cache
def axe() -> str:
    return AXE.read_text()


def unfold(page: Page) -> None:
    """Open the members panel, and the confirmation of an action on one of them."""
    if page.locator("#members-panel").is_hidden():
        page.locator("#members-button").click()
    expect(page.locator(".group .member")).to_have_count(2)
    page.get_by_role("button", name="axe-guest-of-hers").click()
    page.locator('.member-actions [data-action="ban"]').click()
    page.locator("#banned summary").click()
    expect(page.locator("#banned .member")).to_have_count(1)
    expect(page.locator('.group[data-presence="offline"] .member')).to_have_count(1, timeout=15_000)


def invite(page: Page) -> None:
    if page.locator("#members-panel").is_hidden():
        page.locator("#members-button").click()
    page.locator("#invite summary").click()
    page.locator(".by-link button").click()
    expect(page.locator(".new-link")).to_be_visible()
    expect(page.locator(".links li")).not_to_have_count(0)


def nothing(page: Page) -> None:
    return


def room_is_up(page: Page) -> None:
    expect(page.locator("#pill")).to_have_attribute("data-phase", "connected")
    expect(page.locator("#loading")).to_be_hidden()


def forged(page: Page) -> None:
    """Submit a form without its cookie."""
    page.context.clear_cookies(name="csrftoken")
    page.locator("main form").first.evaluate("(form) => form.submit()")
    expect(page.locator("main form")).to_have_count(0)


PAGES: dict[str, tuple[str, str, Callable[[Page], None]]] = {
    "landing": ("", "/", nothing),
    "sign in": ("", "/accounts/login/", nothing),
    "sign up": ("", "/accounts/signup/", nothing),
    "password reset": ("", "/accounts/password/reset/", nothing),
    "password reset done": ("", "/accounts/password/reset/done/", nothing),
    "reset link used": ("", "/accounts/password/reset/key/x-y/", nothing),
    "first administrator": ("", "/setup/", nothing),
    "out of date": ("", "/accounts/login/", forged),
    "invited stranger": ("", "/invitations/{token}/", nothing),
    "invitation": ("axe-owner", "/invitations/{token}/", nothing),
    "invitation ended": ("axe-owner", "/invitations/gone/", nothing),
    "not found": ("axe-owner", "/nowhere/", nothing),
    "empty site": ("axe-newcomer", "/", nothing),
    "open a room": ("axe-owner", "/rooms/", lambda page: page.locator("details.card summary").click()),
    "people": ("axe-owner", "/people/", nothing),
    "password change": ("axe-owner", "/accounts/password/change/", nothing),
    "e-mail": ("axe-owner", "/accounts/email/", nothing),
    "sign out": ("axe-owner", "/accounts/logout/", nothing),
    "room": ("axe-owner", "/rooms/axe/", room_is_up),
    "people of a room": ("axe-owner", "/rooms/axe/", lambda page: (room_is_up(page), unfold(page))[0]),
    "inviting": ("axe-owner", "/rooms/{private}/", lambda page: (room_is_up(page), invite(page))[0]),
    "conversation": ("axe-owner", "/rooms/{direct}/", room_is_up),
    "rooms": ("axe-owner", "/rooms/axe/#rooms", room_is_up),
}


@pytest.mark.parametrize("name", PAGES)
def test_a_page_is_accessible_and_fits(visitor: Visitor, stack: Stack, places: tuple[str, str, str], name: str) -> None:
    who, address, pose = PAGES[name]
    private, direct, token = places
    url = address.format(private=private, direct=direct, token=token)
    for kind, languages in ((PHONE, ("es", "pt-br", "en")), (DESK, ("es",))):  # Spanish has the longest texts
        context = visitor(who, **kind)
        page = context.new_page()
        for language in languages:
            context.add_cookies([{"name": "django_language", "value": language, "url": stack.url}])
            page.goto("about:blank")
            page.goto(url)
            pose(page)
            assert page.evaluate(WIDER) == [], f"{name}, {language}, {kind}"
        page.evaluate(axe())
        for scheme in ("light", "dark"):
            page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
            assert page.evaluate(RUN) == [], f"{name}, {scheme}, {kind}"
