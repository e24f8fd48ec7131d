"""The members of a room: roles, removal, bans, invitations, read markers on several devices."""

from collections.abc import Callable

from playwright.sync_api import BrowserContext, expect

from tests.browser.window import RoomPage
from tests.running import Stack

Enter = Callable[..., RoomPage]
Visitor = Callable[..., BrowserContext]
PASSWORD = "correct horse battery staple"
PRESENCE_TIMEOUT_MS = 20_000  # ms: presence is sent every few seconds


def choose(room: RoomPage, name: str, action: str) -> None:
    """Choose an action for a member in the members panel."""
    row = room.page.locator(".member").filter(has=room.page.get_by_text(name, exact=True))
    row.get_by_role("button", name=f"Actions for {name}").click()
    row.get_by_role("button", name=action, exact=True).click()


def test_the_owner_makes_a_moderator_who_removes_and_bans(enter: Enter) -> None:
    hers, his, theirs = enter("alice", "order"), enter("bob", "order"), enter("mallory", "order")
    for room in (hers, his, theirs):
        room.page.locator("#members-button").click()
        expect(room.page.locator(".group .member")).to_have_count(3)
    expect(theirs.page.locator("#banned")).to_be_hidden()
    expect(theirs.page.locator('[data-actions*="remove-member"]')).to_have_count(0)
    choose(hers, "bob", "Make moderator")
    bobs = theirs.page.locator(".member").filter(has_text="bob")
    expect(bobs.locator(".labels")).to_have_text("moderator")

    theirs.send("Spam")
    his.use_toolbar("Spam", "Delete")
    his.page.get_by_role("group", name="Delete this message?").get_by_role("button", name="Delete").click()
    expect(hers.messages.last).to_contain_text("Message deleted")

    other_room = RoomPage(theirs.page.context.new_page(), "order-2")
    other_room.wait_until_joined()
    choose(his, "mallory", "Remove member")
    expect(his.page.locator(".confirmation")).to_contain_text("mallory will be removed at once, but can join again.")
    his.page.locator(".confirmation").get_by_role("button", name="Remove member").click()
    expect(theirs.page.get_by_role("alert")).to_contain_text("You have been removed from this room.")
    expect(theirs.composer).to_be_disabled()
    for room in (hers, his):
        expect(room.page.locator(".group .member")).to_have_count(2)
        expect(room.page.locator("#members-button .count")).to_have_text("2")
    expect(other_room.page.locator('[data-room="order"]')).to_have_count(0)
    other_room.send("Others go on")
    other_room.expect_message("Others go on")

    theirs.page.reload()
    theirs.wait_until_joined()
    choose(hers, "mallory", "Ban")
    hers.page.locator(".confirmation").get_by_role("button", name="Cancel").click()
    expect(theirs.composer).to_be_enabled()
    choose(hers, "mallory", "Ban")
    hers.page.locator(".confirmation").get_by_role("button", name="Ban").click()
    expect(theirs.page.get_by_role("alert")).to_contain_text("You have been banned from this room.")
    theirs.page.reload()
    expect(theirs.page.locator("#notice")).to_be_visible()
    his.page.locator("#banned summary").click()
    his.page.get_by_role("button", name="Unban").click()
    expect(his.page.locator("#banned")).to_contain_text("No one is banned.")
    theirs.page.reload()
    theirs.wait_until_joined()

    choose(hers, "bob", "Transfer ownership")
    hers.page.locator(".confirmation").get_by_role("button", name="Transfer ownership").click()
    expect(his.page.locator(".member").filter(has_text="you").locator(".labels")).to_have_text("owner · you")
    expect(hers.page.locator('[data-actions*="transfer-ownership"]')).to_have_count(0)


def test_presence_is_shown_in_the_panel_and_in_a_direct_room(enter: Enter, stack: Stack) -> None:
    hers, his = enter("alice", "presence"), enter("bob", "presence")
    hers.page.locator("#members-button").click()
    bobs = hers.page.locator(".group .member").filter(has_text="bob")
    expect(bobs.locator(".presence")).to_have_text("online", timeout=PRESENCE_TIMEOUT_MS)
    expect(hers.page.locator("#members-online")).to_have_text("2 of 2 members online")
    choose(hers, "bob", "Send message")
    expect(hers.page.locator("#title")).to_have_text("bob")
    expect(hers.page.locator("#topic")).to_have_text("offline", timeout=PRESENCE_TIMEOUT_MS)
    slug = hers.page.url.rstrip("/").rsplit("/", 1)[1]
    his = RoomPage(his.page, slug)
    expect(hers.page.locator("#topic")).to_have_text("online", timeout=PRESENCE_TIMEOUT_MS)
    expect(hers.page.locator(f'[data-room="{slug}"] .presence')).to_have_text("(online)")


def test_a_private_room_is_made_and_people_are_invited(visitor: Visitor, enter: Enter, stack: Stack) -> None:
    enter("bob", "order-2")
    page = visitor("alice", permissions=["clipboard-read", "clipboard-write"]).new_page()
    page.goto("/rooms/")
    page.get_by_text("Create a private room").click()
    page.get_by_label("Title").fill("Crew of the tug")
    page.get_by_role("button", name="Create room").click()
    expect(page.locator("#title")).to_have_text("Crew of the tug")
    page.get_by_role("button", name="Invite people").click()
    page.get_by_label("Add by username").fill("unknown-user")
    page.get_by_role("button", name="Add", exact=True).click()
    expect(page.locator("#invite .hint")).to_contain_text("There is no user with this username.")
    page.get_by_label("Add by username").fill("bob")
    page.get_by_role("button", name="Add", exact=True).click()
    expect(page.locator("#invite .hint")).to_have_text("bob was added to the room.")
    expect(page.locator(".group .member")).to_have_count(2)

    page.get_by_role("button", name="Create link").click()
    page.get_by_role("button", name="Copy", exact=True).click()
    expect(page.get_by_role("button", name="Copied")).to_be_visible()
    link = page.evaluate("navigator.clipboard.readText()")
    stranger = visitor().new_page()
    stranger.goto(link)
    expect(stranger.get_by_role("heading", level=1)).to_have_text("You are invited to Crew of the tug")
    stranger.get_by_label("Your name").fill("Huck")
    stranger.get_by_role("button", name="Join").click()
    expect(stranger).to_have_url(link)
    expect(page.locator(".group .member")).to_have_count(2)  # opening the link has changed nothing
    stranger.get_by_role("button", name="Join").click()
    expect(stranger.locator("#title")).to_have_text("Crew of the tug")
    expect(page.locator(".group .member").filter(has_text="Huck").locator(".labels")).to_have_text("guest")

    page.get_by_role("button", name="Revoke").click()
    expect(page.locator(".links li")).to_have_count(0)
    late = visitor("mallory").new_page()
    late.goto(link)
    expect(late.get_by_role("heading", level=1)).to_have_text("This invitation is not valid")


def test_messages_read_on_one_device_are_read_on_the_other(enter: Enter) -> None:
    enter("alice", "devices").page.close()
    phone, desk, his = enter("alice", "devices-2"), enter("alice", "devices-2"), enter("bob", "devices")
    his.send("One")
    his.send("Two")
    for room in (phone, desk):
        expect(room.page.locator('[data-room="devices"] .badge')).to_have_text("2 unread")
    RoomPage(phone.page, "devices").expect_message("Two")
    expect(desk.page.locator('[data-room="devices"] .badge')).to_be_hidden()
    expect(desk.page).to_have_title("devices-2 · Parley")


def test_a_new_password_set_in_another_tab_keeps_this_tab_connected(visitor: Visitor, stack: Stack) -> None:
    page = visitor().new_page()
    page.goto("/accounts/signup/")
    page.get_by_label("Username").fill("locksmith")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Create account").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("Welcome")
    room = RoomPage(page, "renewal")
    room.wait_until_joined()
    other = page.context.new_page()
    other.goto("/accounts/password/change/")
    other.get_by_label("Current password").fill(PASSWORD)
    for field in ("password1", "password2"):
        other.locator(f"[name={field}]").fill(PASSWORD + " 2")
    with page.expect_websocket():
        other.get_by_role("button", name="Save").click()
    expect(room.pill).to_have_text("connected")
    expect(page.locator("#notice")).to_be_hidden()


def test_a_room_with_short_messages_says_how_many_characters_are_left(enter: Enter, stack: Stack) -> None:
    enter("alice", "telegrams").page.close()
    stack.run_python("from chat.models import Room; Room.objects.filter(slug='telegrams').update(body_chars=140)")
    hers = enter("alice", "telegrams")
    hers.composer.fill("x" * 141)
    expect(hers.page.locator("#chars-left")).to_have_text("1 character too many")
    hers.composer.press("Enter")
    expect(hers.composer).to_have_value("x" * 141)
    hers.composer.fill("x" * 140)
    hers.composer.press("Enter")
    hers.expect_message("x" * 140)
