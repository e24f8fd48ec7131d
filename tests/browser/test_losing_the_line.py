"""Messages survive the loss of servers, network and session."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from playwright.sync_api import BrowserContext, expect

from tests.browser.window import RoomPage
from tests.running import Stack

Enter = Callable[..., RoomPage]
BACK = 40_000  # ms until a process is up and a browser has tried again


@contextmanager
def without_sockets(stack: Stack) -> Iterator[None]:
    """Kill both daphne processes, and keep them down."""
    for name in ("ws1", "ws2"):
        stack.kill(name, hold=True)
    try:
        yield
    finally:
        for name in ("ws1", "ws2"):
            stack.release(name)


def test_a_message_written_while_daphne_is_down_arrives_once(enter: Enter, stack: Stack) -> None:
    hers, his = enter("alice", "storm"), enter("bob", "storm")
    hers.send("Before")
    expect(his.message("Before")).to_be_visible()
    with without_sockets(stack):
        expect(hers.pill).to_contain_text("reconnecting in")
        hers.send("Meanwhile")
        hers.send("And more")
        expect(hers.message("And more").locator(".delivery")).to_contain_text(
            "will be sent when you are connected again"
        )
        his.send("From the other side")
    expect(hers.pill).to_have_text("connected", timeout=BACK)
    expect(his.pill).to_have_text("connected", timeout=BACK)
    for page in (hers, his):
        for text in ("Meanwhile", "And more", "From the other side"):
            page.expect_message(text)
        expect(page.messages).to_have_count(4)
        texts = page.messages.locator(".body").all_text_contents()
        assert texts.index("Meanwhile") < texts.index("And more")
    his.page.reload()
    expect(his.messages).to_have_count(4)


def test_a_reload_keeps_unsent_messages(enter: Enter, stack: Stack) -> None:
    hers, his = enter("alice", "reload"), enter("bob", "reload")
    with without_sockets(stack):
        expect(hers.pill).to_contain_text("reconnecting in")
        hers.send("Survivor")
        expect(hers.message("Survivor")).to_be_visible()
        hers.page.reload()
        expect(hers.message("Survivor")).to_be_visible()
    expect(his.message("Survivor")).to_be_visible(timeout=BACK)
    hers.expect_message("Survivor")


def test_an_edit_without_a_connection_fails_and_keeps_the_text(enter: Enter, stack: Stack) -> None:
    hers = enter("alice", "edits")
    hers.send("Fisrt")
    hers.expect_message("Fisrt")
    hers.use_toolbar("Fisrt", "Edit")
    editor = hers.page.get_by_role("textbox", name="Edit your message")
    with without_sockets(stack):
        expect(hers.pill).to_contain_text("reconnecting in")
        editor.fill("First")
        editor.press("Enter")
        expect(hers.page.locator(".edit-form .hint")).to_contain_text("Could not save: There is no connection")
    expect(hers.pill).to_have_text("connected", timeout=BACK)
    editor.press("Enter")
    expect(hers.message("First")).to_be_visible()


def test_without_a_network_the_pill_says_offline(enter: Enter) -> None:
    hers = enter("alice", "tunnel")
    hers.page.context.set_offline(True)
    expect(hers.pill).to_have_text("offline")
    hers.send("In the tunnel")
    hers.page.context.set_offline(False)
    expect(hers.pill).to_have_text("connected")
    hers.expect_message("In the tunnel")


def test_a_refused_message_can_be_retried_or_discarded(enter: Enter) -> None:
    hers = enter("alice", "refusals")
    blank = "\u0085"  # a blank to the server, not to a browser
    hers.send(blank)
    failed = hers.page.locator(".failed")
    expect(failed.locator(".delivery")).to_contain_text("Not sent: A message has between 1 and 4,000 characters.")
    hers.send("This one goes through")
    hers.expect_message("This one goes through")
    failed.get_by_role("button", name="Retry").click()
    expect(failed.get_by_role("button", name="Retry")).to_be_visible()
    hers.page.reload()
    failed.get_by_role("button", name="Discard").click()
    expect(failed).to_have_count(0)
    hers.page.reload()
    hers.wait_until_joined()
    expect(hers.messages).to_have_count(1)


def test_a_user_who_was_signed_out_gets_a_link_to_sign_in(visitor: Callable[..., BrowserContext], stack: Stack) -> None:
    context = visitor()
    page = context.new_page()
    page.goto("/")
    page.get_by_label("Your name").fill("Tom")
    page.get_by_role("button", name="Join").click()
    room = RoomPage(page, "gone")
    room.wait_until_joined()
    context.clear_cookies()
    with without_sockets(stack):
        expect(room.pill).to_contain_text("reconnecting in")
    expect(room.pill).to_have_text("signed out", timeout=BACK)
    page.get_by_role("alert").get_by_role("link", name="Sign in").click()
    expect(page).to_have_url(stack.url + "/accounts/login/?next=%2Frooms%2Fgone%2F")
