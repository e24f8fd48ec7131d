"""What "Chatrooms spec" asked for: several users live, registration, saved conversations, edit and delete, sign-in with
an account elsewhere. Real Chromium, the whole stack."""

# ruff: noqa: F811  fixtures are imported under the names that they are asked for by

import re
from collections.abc import Callable

import httpx
import pytest
from playwright.sync_api import BrowserContext, Page, expect
from werkzeug.serving import BaseWSGIServer

from tests.browser.conftest import browser, session_of, visitor  # noqa: F401  fixtures
from tests.browser.window import RoomPage
from tests.conftest import PASSWORD
from tests.running import TRUSTING, Stack

Visitor = Callable[..., BrowserContext]


def test_several_users_are_live_in_a_room_and_what_they_say_is_saved(visitor: Visitor) -> None:
    names = ("alice", "bob", "charlie")
    pages = [RoomPage(visitor(name).new_page(), "quay") for name in names]
    for name, page in zip(names, pages, strict=True):
        page.wait_until_joined()
        page.send(f"{name} is here")
    for page in pages:
        for name in names:
            page.expect_message(f"{name} is here")

    later = RoomPage(visitor("dora").new_page(), "quay")  # who was not there, in another browser
    for name in names:
        later.expect_message(f"{name} is here")


def test_what_was_said_is_edited_and_deleted_for_everybody(visitor: Visitor) -> None:
    hers, his = (RoomPage(visitor(name).new_page(), "mole") for name in ("alice", "bob"))
    hers.wait_until_joined()
    hers.send("Low tide at six")
    his.expect_message("Low tide at six")
    hers.use_toolbar("Low tide at six", "Edit")
    hers.page.get_by_role("textbox", name="Edit your message").fill("Low tide at seven")
    hers.page.keyboard.press("Enter")
    expect(his.message("Low tide at seven").locator(".edited")).to_be_visible()

    hers.use_toolbar("Low tide at seven", "Delete")
    hers.page.get_by_role("group", name="Delete this message?").get_by_role("button", name="Delete").click()
    expect(his.messages).to_have_text([re.compile("Message deleted")])
    his.page.reload()
    expect(his.messages).to_have_text([re.compile("Message deleted")])


def test_registration_leads_into_a_room(visitor: Visitor) -> None:
    page = visitor().new_page()
    page.goto("/rooms/registry/")
    page.get_by_role("link", name="Create account").click()
    page.get_by_label("Username").fill("registrar")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Create account").click()
    room = RoomPage(page, "registry")
    room.wait_until_joined()
    room.send("Registered")
    expect(room.message("Registered").locator(".author bdi")).to_have_text("registrar")


def go_elsewhere(page: Page, address: str) -> None:
    page.goto(address)
    page.get_by_role("button", name="Continue with Harbour ID").click()
    expect(page.get_by_role("heading", name="Authorize Client")).to_be_visible()


def test_an_account_elsewhere_is_enough_to_come_in_and_to_come_back(
    visitor: Visitor, stack: Stack, elsewhere: BaseWSGIServer
) -> None:
    page = visitor().new_page()
    go_elsewhere(page, "/accounts/signup/?next=/rooms/berth/")
    asked = page.url
    assert asked.startswith(f"http://localhost:{elsewhere.server_port}/oauth2/authorize?client_id=parley&")
    assert "code_challenge_method=S256" in asked
    assert "email" not in asked
    page.get_by_role("button", name="walter").click()
    expect(page).to_have_url(stack.url + "/rooms/berth/")
    room = RoomPage(page, "berth")
    room.wait_until_joined()
    room.send("Moored")
    expect(room.message("Moored").locator(".author bdi")).to_have_text("Walter Lind")
    expect(page.locator(".me .names small")).to_have_text("walter")

    again = visitor().new_page()
    go_elsewhere(again, "/accounts/login/?next=/rooms/berth/")
    again.get_by_role("button", name="walter").first.click()
    expect(RoomPage(again, "berth").message("Moored")).to_have_class(re.compile(r"\bmine\b"))
    again.goto("/accounts/3rdparty/")
    expect(again.get_by_role("radio")).to_have_count(1)


def test_who_turns_back_elsewhere_is_not_in(visitor: Visitor) -> None:
    page = visitor().new_page()
    go_elsewhere(page, "/accounts/login/")
    page.get_by_role("button", name="Deny").click()
    # This server forgets to say whose wish was turned down; others do not, and then the page says "Sign-in cancelled".
    expect(page.get_by_role("heading")).to_have_text("Sign-in failed")
    page.goto("/")
    expect(page.get_by_role("link", name="Sign in")).not_to_have_count(0)


def test_an_answer_that_nobody_asked_for_lets_nobody_in(visitor: Visitor) -> None:
    """Somebody else's code, in a link: whoever follows it would chat under that account."""
    page = visitor().new_page()
    page.goto("/accounts/oidc/server/login/callback/?code=stolen&state=guessed")
    expect(page.get_by_role("heading")).to_have_text("Sign-in failed")


def stranger(stack: Stack) -> httpx.Client:
    """A program that has read a page of ours and sends its form."""
    token = "x" * 32
    headers = {"X-CSRFToken": token, "Referer": stack.url + "/"}
    return httpx.Client(base_url=stack.url, cookies={"csrftoken": token}, headers=headers, verify=TRUSTING, timeout=60)


def test_a_link_takes_nobody_elsewhere_and_forms_lead_nowhere_else(stack: Stack) -> None:
    with stranger(stack) as client:
        asked = client.get("/accounts/oidc/server/login/")
        assert asked.status_code == 200
        assert "Sign in with Harbour ID?" in asked.text
        left = client.post("/accounts/oidc/server/login/")
        assert left.status_code == 200
        assert "form-action 'self';" in left.headers["Content-Security-Policy"] + ";"
        assert client.get("/accounts/google/login/").status_code == 404  # not configured
        assert client.post("/accounts/oidc/other/login/").status_code == 404


def test_a_provider_that_is_away_is_said_on_a_page(
    stack: Stack, elsewhere: BaseWSGIServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(environ: object, start: Callable[..., object]) -> list[bytes]:
        start("503 Service Unavailable", [])
        return []

    monkeypatch.setattr(elsewhere, "app", away)
    with stranger(stack) as client:
        answer = client.post("/accounts/oidc/server/login/")
    assert answer.status_code == 502
    assert "Sign-in failed" in answer.text
