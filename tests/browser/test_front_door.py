"""The ways from the first page into a room."""

from collections.abc import Callable

from playwright.sync_api import BrowserContext, expect

from tests.browser.window import RoomPage
from tests.running import Stack

Visitor = Callable[..., BrowserContext]


def test_a_guest_is_in_a_room_with_a_name_and_a_click(visitor: Visitor, stack: Stack) -> None:
    page = visitor().new_page()
    page.goto("/")
    page.get_by_label("Your name").fill("Tom Sawyer")
    page.get_by_label("Your name").press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("Welcome, Tom Sawyer.")
    page.get_by_label("Room name").fill("Guests Corner")
    page.get_by_role("button", name="Join").click()
    expect(page).to_have_url(stack.url + "/rooms/guests-corner/")
    page.locator("#body").fill("Hello")
    page.get_by_role("button", name="Send").click()
    message = page.locator("#messages > .message")
    expect(message.locator(".author bdi")).to_have_text("Tom Sawyer")
    expect(message.locator(".guest")).to_be_visible()


def test_an_invitation_leads_a_guest_straight_to_its_room(visitor: Visitor, stack: Stack) -> None:
    page = visitor().new_page()
    page.goto("/rooms/invited/")
    page.get_by_label("Your name").fill("Huck")
    page.get_by_role("button", name="Join").click()
    expect(page).to_have_url(stack.url + "/rooms/invited/")
    expect(page.locator("#pill")).to_have_text("connected")


def test_sign_up_leads_to_a_room_and_sign_in_back_to_it(visitor: Visitor, stack: Stack) -> None:
    page = visitor().new_page()
    page.goto("/accounts/signup/")
    page.get_by_label("Username").fill("carpenter")
    page.get_by_label("Display name").fill("Walter Lind")
    page.get_by_label("Password").fill("correct horse battery staple")
    page.get_by_role("button", name="Create account").click()
    page.get_by_label("Room name").fill("workshop")
    page.get_by_label("Room name").press("Enter")
    expect(page).to_have_url(stack.url + "/rooms/workshop/")
    room = RoomPage(page, "workshop")
    room.wait_until_joined()
    room.send("First")
    expect(room.messages.locator(".author bdi")).to_have_text("Walter Lind")

    page.get_by_label("Account menu").click()
    page.get_by_role("link", name="Sign out").click()
    page.get_by_role("button", name="Sign out").click()
    expect(page).to_have_url(stack.url + "/")
    page.goto("/rooms/workshop/")
    page.get_by_label("Username or email").fill("carpenter")
    page.get_by_label("Password").fill("correct horse battery staple")
    page.get_by_role("button", name="Sign in").click()
    expect(page).to_have_url(stack.url + "/rooms/workshop/")
    expect(room.message("First")).to_be_visible()


def test_a_forgotten_password_has_its_page(visitor: Visitor, stack: Stack) -> None:
    page = visitor().new_page()
    page.goto("/accounts/login/")
    page.get_by_role("link", name="Forgot your password?").click()
    expect(page.get_by_role("heading")).to_have_text("Forgot your password?")
    page.get_by_label("Email").fill("nobody@example.com")
    page.get_by_role("button", name="Send link").click()
    expect(page.get_by_role("heading")).to_have_text("Check your email")
    assert "There is no account with this address" in stack.log()


def test_a_page_that_is_not_there_looks_like_one_of_ours(visitor: Visitor) -> None:
    page = visitor("alice").new_page()
    page.goto("/rooms/~AAAAAAAAAAAAAAAA/")
    expect(page.get_by_role("heading")).to_have_text("Page not found")
    expect(page.get_by_role("link", name="Go to Parley")).to_be_visible()
