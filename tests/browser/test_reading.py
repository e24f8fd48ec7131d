"""Unread counts, history and the scroll position."""

from collections.abc import Callable

from playwright.sync_api import BrowserContext, Route, expect

from tests.browser.window import RoomPage
from tests.running import Stack

Enter = Callable[..., RoomPage]
PHONE = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True}


def talk(stack: Stack, slug: str, count: int) -> None:
    stack.run_python(f"from tests.browser import harbour; harbour.talk({slug!r}, 'bob', {count})")


def test_scrolling_back_loads_older_pages_and_keeps_the_place(enter: Enter, stack: Stack) -> None:
    talk(stack, "archive", 130)
    hers = enter("alice", "archive")
    expect(hers.messages).to_have_count(50)
    expect(hers.message("130")).to_be_in_viewport()
    hers.message("81").scroll_into_view_if_needed()
    expect(hers.messages).to_have_count(100)
    expect(hers.message("81")).to_be_in_viewport()
    hers.message("31").scroll_into_view_if_needed()
    expect(hers.messages).to_have_count(130)
    expect(hers.message("31")).to_be_in_viewport()
    hers.message("1").scroll_into_view_if_needed()
    expect(hers.page.locator("#room-start")).to_contain_text("This is the start of #archive.")


def test_new_messages_below_the_view_are_counted(enter: Enter, stack: Stack) -> None:
    talk(stack, "tide", 60)
    hers, his = enter("alice", "tide"), enter("bob", "tide")
    hers.message("20").scroll_into_view_if_needed()
    jump_button = hers.page.locator("#jump-to-latest")
    expect(jump_button).to_have_text("Jump to latest")
    his.send("High water")
    expect(jump_button).to_have_text("1 new message")
    expect(hers.message("20")).to_be_in_viewport()
    expect(hers.page.locator('[data-room="tide"] .count')).to_have_text("1")
    jump_button.click()
    expect(hers.message("High water")).to_be_in_viewport()
    expect(jump_button).to_be_hidden()
    expect(hers.page.locator('[data-room="tide"] .badge')).to_be_hidden()


def test_the_reader_stays_at_the_bottom_while_they_are_there(enter: Enter, stack: Stack) -> None:
    talk(stack, "stream", 40)
    hers, his = enter("alice", "stream"), enter("bob", "stream")
    for number in range(12):
        his.send(f"Wave {number}")
    expect(hers.message("Wave 11")).to_be_in_viewport()
    expect(hers.page.locator("#jump-to-latest")).to_be_hidden()


def test_the_toolbar_stays_with_its_message_while_the_list_moves_under_the_pointer(enter: Enter, stack: Stack) -> None:
    talk(stack, "moving", 40)
    hers, his = enter("alice", "moving"), enter("bob", "moving")
    hers.message("39").hover()
    toolbar = hers.message("39").locator(".message-toolbar")
    expect(toolbar).to_be_visible()
    for text in ("One", "Two", "Three"):
        his.send(text)
        hers.expect_message(text)
        hers.page.evaluate("new Promise((drawn) => requestAnimationFrame(() => requestAnimationFrame(drawn)))")
    expect(toolbar).to_have_count(1)


def test_other_rooms_show_what_is_unread_until_they_are_read(enter: Enter) -> None:
    enter("dora", "here").page.close()
    hers, his = enter("dora", "there"), enter("bob", "here")
    expect(hers.page).to_have_title("there · Parley")
    his.send("One")
    his.send("Two")
    line = hers.page.locator('[data-room="here"]')
    expect(line.locator(".badge")).to_have_text("2 unread")
    expect(hers.page).to_have_title("(2) there · Parley")
    line.get_by_role("link").click()
    hers.wait_until_joined()
    expect(hers.page.locator(".new-messages + .message .body")).to_have_text("One")
    expect(hers.page).to_have_title("here · Parley")
    hers.page.reload()
    hers.wait_until_joined()
    expect(hers.message("Two")).to_be_visible()
    expect(hers.page.locator(".new-messages")).to_have_count(0)


def test_on_a_phone_the_rooms_are_a_view_of_their_own(enter: Enter) -> None:
    hers = enter("erin", "deck", **PHONE)
    menu = hers.page.get_by_role("navigation", name="Rooms")
    expect(menu).to_be_hidden()
    hers.page.get_by_role("link", name="Rooms").tap()
    expect(menu).to_be_visible()
    expect(hers.composer).to_be_hidden()
    his = enter("bob", "deck")
    his.send("While she reads the list")
    expect(hers.page.locator('[data-room="deck"] .badge')).to_have_text("1 unread")
    hers.page.go_back()
    expect(menu).to_be_hidden()
    expect(hers.page.locator('[data-room="deck"] .badge')).to_be_hidden()


def test_on_a_phone_a_tap_opens_the_toolbar(enter: Enter) -> None:
    hers = enter("erin", "tap", **PHONE)
    hers.composer.fill("Tap me")
    hers.page.get_by_role("button", name="Send").tap()
    hers.expect_message("Tap me")
    hers.message("Tap me").tap()
    hers.page.get_by_role("button", name="Edit", exact=True).tap()
    hers.page.get_by_role("textbox", name="Edit your message").fill("Tapped")
    hers.page.get_by_role("button", name="Save").tap()
    expect(hers.message("Tapped")).to_be_visible()


def test_the_composer_does_not_take_the_focus_from_another_field(visitor: Callable[..., BrowserContext]) -> None:
    page = visitor("alice").new_page()
    held: list[Route] = []
    page.route("**/room_page*.js", lambda route: held.append(route))
    with page.expect_request("**/room_page*.js"):
        page.goto("/rooms/cursor/", wait_until="commit")
    field = page.get_by_label("Find or join a room")
    field.press_sequentially("lon")
    held[0].continue_()
    expect(page.locator("#pill")).to_have_text("connected")
    expect(page.locator("#loading")).to_be_hidden()
    page.keyboard.type("g")
    expect(field).to_have_value("long")


def test_an_empty_room_invites_to_write(enter: Enter) -> None:
    hers = enter("alice", "quiet-corner")
    expect(hers.page.locator("#room-start")).to_contain_text("There are no messages in #quiet-corner yet. Say hello!")
    hers.send("Hello")
    expect(hers.page.locator("#room-start")).to_contain_text("This is the start of #quiet-corner.")
    expect(hers.page.locator("#room-start .empty")).to_be_hidden()
