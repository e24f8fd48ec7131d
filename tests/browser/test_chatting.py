"""Two people chat in a room."""

import re
from collections.abc import Callable

from playwright.sync_api import expect

from tests.browser.window import RoomPage
from tests.running import Stack

Enter = Callable[..., RoomPage]


def test_two_browsers_chat_edit_and_delete(enter: Enter) -> None:
    hers, his = enter("alice", "pier"), enter("bob", "pier")
    hers.send("Ahoy")
    his.expect_message("Ahoy")  # two messages at once would be shown in the order in which they are stored
    his.send("Ahoy yourself\nwith a second line")
    for page in (hers, his):
        expect(page.messages).to_have_count(2)
        expect(page.messages.locator(".body")).to_have_text(["Ahoy", "Ahoy yourself\nwith a second line"])
        expect(page.messages.locator(".author bdi")).to_have_text(["alice", "bob"])

    hers.use_toolbar("Ahoy", "Edit")
    hers.page.get_by_role("textbox", name="Edit your message").fill("Ahoy there")
    hers.page.keyboard.press("Enter")
    expect(his.message("Ahoy there").locator(".edited")).to_be_visible()
    expect(hers.message("Ahoy there").locator(".edited")).to_be_visible()

    hers.use_toolbar("Ahoy there", "Delete")
    hers.page.get_by_role("button", name="Cancel").click()
    expect(his.message("Ahoy there")).to_be_visible()
    hers.use_toolbar("Ahoy there", "Delete")
    hers.page.get_by_role("group", name="Delete this message?").get_by_role("button", name="Delete").click()
    for page in (hers, his):
        expect(page.messages.first).to_contain_text("Message deleted")
        expect(page.messages).to_have_count(2)


def test_a_member_cannot_edit_or_delete_messages_of_others(enter: Enter) -> None:
    hers, his = enter("alice", "pier-2"), enter("bob", "pier-2")
    hers.send("Mine")
    his.message("Mine").hover()
    expect(his.message("Mine").get_by_role("button")).to_have_text(["Reply"])


def test_a_reply_shows_the_message_to_which_it_replies(enter: Enter) -> None:
    hers, his = enter("alice", "answers"), enter("bob", "answers")
    hers.send("Where is the long rope?")
    his.use_toolbar("Where is the long rope?", "Reply")
    expect(his.page.locator("#reply-bar")).to_contain_text("Replying to alice")
    his.send("Under the bench")
    quote = hers.message("Under the bench").locator(".quote")
    expect(quote).to_have_text("aliceWhere is the long rope?")
    quote.click()
    expect(hers.message("Where is the long rope?")).to_be_focused()


def test_everything_works_with_the_keyboard(enter: Enter) -> None:
    hers = enter("alice", "keys")
    keys = hers.page.keyboard
    expect(hers.composer).to_be_focused()
    keys.type("One")
    keys.press("Shift+Enter")
    keys.type("two")
    keys.press("Enter")
    hers.expect_message("One\ntwo")
    keys.press("ArrowUp")
    editor = hers.page.get_by_role("textbox", name="Edit your message")
    expect(editor).to_be_focused()
    keys.press("Escape")
    expect(hers.composer).to_be_focused()
    keys.press("ArrowUp")
    editor.fill("Three")
    keys.press("Enter")
    expect(hers.message("Three")).to_be_visible()
    expect(hers.composer).to_be_focused()

    hers.page.locator("#log").focus()
    keys.press("ArrowUp")
    expect(hers.message("Three")).to_be_focused()
    keys.press("Tab")
    expect(hers.page.get_by_role("button", name="Reply")).to_be_focused()
    keys.press("Enter")
    expect(hers.page.locator("#reply-bar")).to_be_visible()
    keys.press("Escape")
    expect(hers.page.locator("#reply-bar")).to_be_hidden()

    hers.page.locator("#log").focus()
    keys.press("/")
    expect(hers.page.get_by_label("Find or join a room")).to_be_focused()
    keys.type("other")
    expect(hers.page.locator("#find-hint")).to_have_text("Enter to join or create #other")
    keys.press("Enter")
    expect(hers.page).to_have_url(re.compile("/rooms/other/$"))


def test_new_messages_are_announced_and_history_is_not(enter: Enter) -> None:
    his = enter("bob", "voices")
    his.send("Before you joined")
    his.expect_message("Before you joined")
    hers = enter("alice", "voices")
    expect(hers.message("Before you joined")).to_be_visible()
    hers.send("My own")
    his.send("Now that you are here")
    expect(hers.page.locator("#announcer")).to_have_text("bob: Now that you are here")
    his.use_toolbar("Before you joined", "Edit")
    his.page.get_by_role("textbox", name="Edit your message").fill("Edited")
    his.page.keyboard.press("Enter")
    expect(hers.message("Edited")).to_be_visible()
    expect(hers.page.locator("#announcer")).to_have_text("bob: Now that you are here")


def test_typing_shows_and_ends_with_the_message(enter: Enter) -> None:
    hers, his = enter("alice", "typing"), enter("bob", "typing")
    line = hers.page.locator("#typing")
    his.composer.press_sequentially("Hm")
    expect(line).to_have_text("bob is typing")
    his.composer.press("Enter")
    expect(hers.message("Hm")).to_be_visible()
    expect(line).to_have_text("")


def test_links_and_code_are_made_of_text(enter: Enter) -> None:
    hers = enter("alice", "links")
    hers.send("See https://example.com/a?b=1&c=2, and run `make test`.")
    link = hers.messages.locator(".body a")
    expect(link).to_have_attribute("href", "https://example.com/a?b=1&c=2")
    expect(link).to_have_attribute("rel", re.compile("noopener"))
    expect(hers.messages.locator(".body code")).to_have_text("make test")


def test_a_draft_stays_with_its_room(enter: Enter) -> None:
    hers = enter("alice", "drafts")
    hers.composer.fill("Not finished")
    hers.page.goto("/rooms/another/")
    expect(hers.composer).to_have_value("")
    hers.page.goto("/rooms/drafts/")
    expect(hers.composer).to_have_value("Not finished")
    hers.composer.press("Enter")
    hers.expect_message("Not finished")
    hers.page.reload()
    expect(hers.message("Not finished")).to_be_visible()
    expect(hers.composer).to_have_value("")


def test_a_message_that_is_too_long_is_not_sent_and_says_by_how_much(enter: Enter) -> None:
    hers = enter("alice", "long")
    hers.composer.fill("😀" * 4001)
    expect(hers.page.locator("#chars-left")).to_have_text("1 character too many")
    hers.composer.press("Enter")
    expect(hers.composer).to_have_value("😀" * 4001)
    hers.composer.fill("😀" * 4000)
    hers.composer.press("Enter")
    hers.expect_message("😀" * 4000)


def test_leaving_takes_the_room_from_every_tab(enter: Enter, stack: Stack) -> None:
    one = enter("carol", "leaving")
    two = RoomPage(one.page.context.new_page(), "leaving")
    two.wait_until_joined()
    one.page.get_by_label("Room menu").click()
    one.page.get_by_role("button", name="Leave room").click()
    expect(one.page).to_have_url(stack.url + "/")
    expect(two.page.get_by_role("alert")).to_contain_text("You are no longer a member of this room.")
    expect(two.composer).to_be_disabled()
