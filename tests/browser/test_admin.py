"""The administration works in a real browser under our Content-Security-Policy."""

from collections.abc import Callable

from playwright.sync_api import BrowserContext, expect

from tests.browser.window import RoomPage
from tests.running import Stack

SUPERUSER = """
from accounts.models import User
User.objects.update_or_create(username="warden", defaults={"is_staff": True, "is_superuser": True})
"""


def test_a_message_deleted_in_the_administration_disappears_from_open_pages(
    visitor: Callable[..., BrowserContext], stack: Stack
) -> None:
    stack.run_python(SUPERUSER)
    his = RoomPage(visitor("bob").new_page(), "gossip")
    his.wait_until_joined()
    his.send("A rude message")
    his.expect_message("A rude message")

    page = visitor("warden").new_page()
    for address in ("/admin/", "/admin/accounts/user/", "/admin/chat/room/", "/admin/chat/membership/"):
        assert page.goto(address)  # the fixture fails the test when a page complains
        expect(page.locator("#site-name")).to_have_text("Parley")
    page.goto("/admin/chat/message/?q=rude")
    page.get_by_role("link", name="A rude message").click()
    expect(page.locator(".field-body .readonly")).to_have_text("A rude message")
    page.go_back()
    page.locator("#result_list .action-select").check()
    page.get_by_label("Action:").select_option(label="Delete for everyone")
    page.get_by_role("button", name="Run").or_(page.get_by_role("button", name="Go")).click()
    expect(page.locator(".messagelist")).to_have_text("1 message deleted.")
    expect(his.messages).to_contain_text("Message deleted")
