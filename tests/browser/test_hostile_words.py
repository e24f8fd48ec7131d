"""Text of users is shown and never run. The fixture fails on dialogs, console errors and violations of the policy."""

from collections.abc import Callable

import pytest
from playwright.sync_api import BrowserContext, expect

from tests.browser.window import RoomPage
from tests.running import Stack

BODIES = [
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "<svg/onload=alert(1)>",
    "</textarea></script><script>alert(1)</script>",
    "<iframe srcdoc='<script>parent.alert(1)</script>'></iframe>",
    "<a href='javascript:alert(1)'>x</a>",
    "javascript:alert(1)",
    'https://x.example/"onmouseover="alert(1)',
    "https://x.example/'onclick='alert(1)'",
    "`<img src=x onerror=alert(1)>`",
    "{{constructor.constructor('alert(1)')()}}",
    "&lt;script&gt;alert(1)&lt;/script&gt;",
    "<style>*{display:none}</style>",
    "<base href=https://x.example/><form action=//x.example><input name=body>",
    "<math><mtext><table><mglyph><style><img src=x onerror=alert(1)>",
    "\u202egnp.exe <b onmouseenter=alert(1)>",
    "__proto__ constructor ${alert(1)} %3Cscript%3E",
]
NAMES = ["<svg/onload=alert()>", "<script>alert(1)//", '"><img src=x>', "{{7*7}}", "__proto__"]
TITLE = "</title></script><script>alert(1)</script><img src=x onerror=alert(1)>"
TOPIC = "</p><svg onload=alert(1)>"

HOSTILE_ROOM = """
import sys
from accounts.models import User
from chat.services import members, rooms
mallory = User.objects.get(username="mallory")
alice = User.objects.get(username="alice")
made = rooms.create_private_room(title=sys.argv[1], topic=sys.argv[2], owner=mallory)
members.add_member(slug=made.slug, by=mallory, user=alice)
print(made.slug)
"""


def test_messages_are_shown_as_text(enter: Callable[..., RoomPage]) -> None:
    hers, theirs = enter("alice", "hostile"), enter("mallory", "hostile")
    for body in BODIES:
        theirs.send(body)
    expect(theirs.page.locator(".message[data-id]")).to_have_count(len(BODIES), timeout=20_000)  # a busy machine
    theirs.use_toolbar(BODIES[0], "Reply")
    theirs.send("An answer to it")
    for page in (hers, theirs):
        expect(page.messages).to_have_count(len(BODIES) + 1)
        shown = page.messages.locator(".body").all_text_contents()
        assert shown == [body.replace("`", "") for body in BODIES] + ["An answer to it"]
        expect(page.messages.last.locator(".quote span")).to_have_text(BODIES[0])
        for link in page.messages.locator(".body a").all():
            assert (link.get_attribute("href") or "").startswith("https://x.example/")
            link.hover()
    hers.page.reload()
    expect(hers.messages).to_have_count(len(BODIES) + 1)


@pytest.mark.parametrize("name", NAMES)
def test_names_are_shown_as_text(visitor: Callable[..., BrowserContext], name: str) -> None:
    page = visitor().new_page()
    page.goto("/")
    page.get_by_label("Your name").fill(name)
    page.get_by_role("button", name="Join").click()
    room = RoomPage(page, "masks")
    room.wait_until_joined()
    room.send(f"I am {name}")
    expect(room.messages.last.locator(".author bdi")).to_have_text(name)
    expect(page.locator(".me bdi")).to_have_text(name)


def test_titles_and_topics_are_shown_as_text(
    enter: Callable[..., RoomPage], session_of: Callable[[str], str], stack: Stack
) -> None:
    session_of("alice")
    session_of("mallory")
    slug = stack.run_python(HOSTILE_ROOM, TITLE, TOPIC).strip()
    hers = enter("alice", slug)
    expect(hers.page.locator("#title")).to_have_text(TITLE)
    expect(hers.page.locator("#topic")).to_have_text(TOPIC)
    expect(hers.page.locator("[data-room] .title").filter(has_text="</title>")).to_have_text(TITLE)
    expect(hers.page).to_have_title(f"{TITLE} · Parley")
    expect(hers.page.locator("#room-start")).to_contain_text(TITLE)


@pytest.mark.parametrize("typed", ["<script>alert(1)</script>", '"onfocus=alert(1) autofocus="', "javascript:alert(1)"])
def test_names_of_rooms_are_shown_as_text(visitor: Callable[..., BrowserContext], typed: str) -> None:
    page = visitor("alice").new_page()
    page.goto("/rooms/")
    page.get_by_label("Room name").fill(typed)
    page.get_by_role("button", name="Join").click()
    expect(page.get_by_label("Room name")).to_have_value(typed)
    expect(page.locator(".errorlist")).to_be_visible()
    page.goto("/rooms/hostile/")
    page.get_by_label("Find or join a room").fill(typed)
    expect(page.locator("#find-hint")).to_contain_text("to join or create #")
