"""What "Chatrooms spec" asks for: users chat live, register, read saved messages, edit and delete, and sign in with
an account of another site. The tests use Chromium and the whole stack.
"""

# ruff: noqa: F811  fixtures are imported and are also parameters

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


def test_several_users_chat_live_in_a_room_and_a_later_visitor_reads_their_messages(visitor: Visitor) -> None:
    names = ("alice", "bob", "charlie")
    pages = [RoomPage(visitor(name).new_page(), "quay") for name in names]
    for name, page in zip(names, pages, strict=True):
        page.wait_until_joined()
        page.send(f"{name} is here")
    for page in pages:
        for name in names:
            page.expect_message(f"{name} is here")

    later = RoomPage(visitor("dora").new_page(), "quay")  # a user who was not online then, in another browser
    for name in names:
        later.expect_message(f"{name} is here")


def test_edits_and_deletions_reach_the_other_members_and_are_saved(visitor: Visitor) -> None:
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


def continue_with_provider(page: Page, address: str) -> None:
    page.goto(address)
    page.get_by_role("button", name="Continue with Harbour ID").click()
    expect(page.get_by_role("heading", name="Authorize Client")).to_be_visible()


def test_a_user_can_sign_up_and_sign_in_again_with_an_account_of_another_site(
    visitor: Visitor, stack: Stack, oidc_server: BaseWSGIServer
) -> None:
    page = visitor().new_page()
    continue_with_provider(page, "/accounts/signup/?next=/rooms/berth/")
    address = page.url
    assert address.startswith(f"http://localhost:{oidc_server.server_port}/oauth2/authorize?client_id=parley&")
    assert "code_challenge_method=S256" in address
    assert "email" not in address
    page.get_by_role("button", name="walter").click()
    expect(page).to_have_url(stack.url + "/rooms/berth/")
    room = RoomPage(page, "berth")
    room.wait_until_joined()
    room.send("Moored")
    expect(room.message("Moored").locator(".author bdi")).to_have_text("Walter Lind")
    expect(page.locator(".me .names small")).to_have_text("walter")

    again = visitor().new_page()
    continue_with_provider(again, "/accounts/login/?next=/rooms/berth/")
    again.get_by_role("button", name="walter").first.click()
    expect(RoomPage(again, "berth").message("Moored")).to_have_class(re.compile(r"\bmine\b"))
    again.goto("/accounts/3rdparty/")
    expect(again.get_by_role("radio")).to_have_count(1)


def test_a_user_who_denies_access_at_the_provider_is_not_signed_in(visitor: Visitor) -> None:
    page = visitor().new_page()
    continue_with_provider(page, "/accounts/login/")
    page.get_by_role("button", name="Deny").click()
    # This server sends its error without `state`. With `state`, the page shows "Sign-in cancelled".
    expect(page.get_by_role("heading")).to_have_text("Sign-in failed")
    page.goto("/")
    expect(page.get_by_role("link", name="Sign in")).not_to_have_count(0)


def test_a_provider_callback_with_an_unknown_state_signs_no_user_in(visitor: Visitor) -> None:
    """A link with an attacker's code must not sign the victim in to the attacker's account."""
    page = visitor().new_page()
    page.goto("/accounts/oidc/server/login/callback/?code=stolen&state=guessed")
    expect(page.get_by_role("heading")).to_have_text("Sign-in failed")


def anonymous_client(stack: Stack) -> httpx.Client:
    """Return an HTTP client without a session that sends forms with a CSRF token."""
    token = "x" * 32
    headers = {"X-CSRFToken": token, "Referer": stack.url + "/"}
    return httpx.Client(base_url=stack.url, cookies={"csrftoken": token}, headers=headers, verify=TRUSTING, timeout=60)


def test_signing_in_at_a_provider_needs_a_confirmation_and_forms_stay_on_this_site(stack: Stack) -> None:
    with anonymous_client(stack) as client:
        confirmation = client.get("/accounts/oidc/server/login/")
        assert confirmation.status_code == 200
        assert "Sign in with Harbour ID?" in confirmation.text
        redirecting = client.post("/accounts/oidc/server/login/")
        assert redirecting.status_code == 200
        assert "form-action 'self';" in redirecting.headers["Content-Security-Policy"] + ";"
        assert client.get("/accounts/google/login/").status_code == 404  # not configured
        assert client.post("/accounts/oidc/other/login/").status_code == 404


def test_a_page_reports_that_the_provider_is_unavailable(
    stack: Stack, oidc_server: BaseWSGIServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    def unavailable(environ: object, start: Callable[..., object]) -> list[bytes]:
        start("503 Service Unavailable", [])
        return []

    monkeypatch.setattr(oidc_server, "app", unavailable)
    with anonymous_client(stack) as client:
        answer = client.post("/accounts/oidc/server/login/")
    assert answer.status_code == 502
    assert "Sign-in failed" in answer.text
