"""The administration: lists that can be searched, and actions that live rooms see at once."""

from collections.abc import Callable
from typing import Any
from uuid import uuid4

import pytest
from asgiref.sync import sync_to_async
from django.contrib.auth.models import Permission
from django.test import Client
from django.utils import timezone

from accounts.models import User
from chat.models import Invitation, Membership, Message, Room
from chat.services import integrations
from chat.services.messages import post_message
from tests.conftest import PASSWORD

PAGES = [
    "accounts/user",
    "chat/room",
    "chat/message",
    "chat/membership",
    "chat/invitation",
    "chat/integration",
    "account/emailaddress",
    "socialaccount/socialaccount",
]


@pytest.fixture
def boss(transactional_db: None) -> User:
    return User.objects.create_superuser("boss", password=PASSWORD)


@pytest.fixture
def message(room: Room, bob: User) -> Message:
    return post_message(room=room.slug, author=bob, body="A rude message", cid=uuid4()).message


def client_of(user: User) -> Client:
    client = Client()
    client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    return client


def act(client: Client, page: str, action: str, *rows: Any) -> str:
    """Choose an action for these rows of a list; what the next page says."""
    form = {"action": action, "_selected_action": [row.pk for row in rows]}
    answer = client.post(f"/admin/{page}/", form, follow=True)
    assert answer.status_code == 200
    return answer.content.decode()


in_a_thread = sync_to_async(act)


@pytest.mark.parametrize("language", ["en", "pt-br", "es"])
def test_every_list_and_every_detail_has_its_page(language: str, boss: User, message: Message, secret: Room) -> None:
    Invitation.objects.create(room=secret, made_by=boss, digest="d", expires_at=timezone.now())
    client = client_of(boss)
    client.cookies["django_language"] = language
    assert client.get("/admin/").status_code == 200
    for page in PAGES:
        assert client.get(f"/admin/{page}/?q=rude").status_code == 200, page
    his = message.room.memberships.get(user=message.author)
    for row, page in zip((boss, message.room, message, his), PAGES, strict=False):
        assert client.get(f"/admin/{page}/{row.pk}/change/").status_code == 200, page
    index = client.get("/admin/").content.decode()
    assert {"en": "Memberships", "pt-br": "Participações", "es": "Membresías"}[language] in index
    rooms = client.get("/admin/chat/room/").content.decode()
    assert '<td class="field-people">2</td><td class="field-messages">1</td>' in rooms


def test_rows_that_are_listed_can_be_searched(boss: User, message: Message) -> None:
    client = client_of(boss)
    assert "A rude message" in client.get("/admin/chat/message/?q=rude").content.decode()
    assert "A rude message" not in client.get("/admin/chat/message/?q=polite").content.decode()
    assert "A rude message" in client.get("/admin/chat/message/?q=harbour").content.decode()
    assert "alice" in client.get("/admin/accounts/user/?is_guest__exact=0&q=Lind").content.decode()


@pytest.mark.parametrize("page", PAGES)
def test_only_administrators_can_open_the_administration(page: str, alice: User) -> None:
    for client in (Client(), client_of(alice)):
        answer = client.get(f"/admin/{page}/")
        assert answer.headers["Location"].startswith("/admin/login/")


def test_rows_cannot_be_added_changed_or_deleted_without_a_service(
    boss: User, message: Message, caplog: pytest.LogCaptureFixture
) -> None:
    client = client_of(boss)
    for row, page in ((boss, PAGES[0]), (message.room, PAGES[1]), (message, PAGES[2])):
        assert client.post(f"/admin/{page}/{row.pk}/delete/", {"post": "yes"}).status_code == 403
    assert client.post(f"/admin/chat/message/{message.pk}/change/", {"body": "A kind message"}).status_code == 403
    assert client.post("/admin/chat/room/add/", {"slug": "new"}).status_code == 403
    assert Message.objects.get(pk=message.pk).body == "A rude message"
    caplog.clear()  # Django tells each refusal with its traceback, and is right to


def test_an_administrator_who_may_only_view_has_no_actions(message: Message) -> None:
    looker = User.objects.create_user("looker", password=PASSWORD, is_staff=True)
    looker.user_permissions.set(
        Permission.objects.filter(codename__in=["view_message", "view_membership", "view_user"])
    )
    client = client_of(looker)
    assert "A rude message" in client.get("/admin/chat/message/").content.decode()
    act(client, "chat/message", "moderator_delete", message)
    act(client, "chat/membership", "ban", message.room.memberships.get(user=message.author))
    act(client, "accounts/user", "deactivate_accounts", message.author)
    assert Message.objects.get(pk=message.pk).body == "A rude message"
    assert message.room.memberships.get(user=message.author).state == "joined"
    assert User.objects.get(pk=message.author.pk).is_active


async def test_a_message_that_a_moderator_deletes_disappears_from_open_rooms(
    connect: Callable[..., Any], boss: User, alice: User, message: Message
) -> None:
    client = await sync_to_async(client_of)(boss)
    async with connect(alice, "harbour") as hers:
        assert "1 message deleted." in await in_a_thread(client, "chat/message", "moderator_delete", message)
        await hers.wait_until(lambda client: client.rooms["harbour"].messages[message.pk]["deleted"])
    assert "0 messages deleted." in await in_a_thread(client, "chat/message", "moderator_delete", message)
    assert (await Message.objects.aget(pk=message.pk)).body == ""


@pytest.mark.parametrize(("action", "state"), [("remove", "kicked"), ("ban", "banned")])
async def test_a_removed_member_is_removed_at_once(
    connect: Callable[..., Any], action: str, state: str, boss: User, bob: User, room: Room
) -> None:
    client = await sync_to_async(client_of)(boss)
    his = await Membership.objects.aget(room=room, user=bob)
    async with connect(bob, "harbour") as socket:
        assert "1 membership changed." in await in_a_thread(client, "chat/membership", action, his)
        assert (await socket.wait_for_frame("left"))["room"] == "harbour"
    await his.arefresh_from_db()
    assert his.state == state
    if action == "ban":
        await in_a_thread(client, "chat/membership", "unban", his)
        await his.arefresh_from_db()
        assert his.state == "left"


async def test_a_new_title_is_published(connect: Callable[..., Any], boss: User, alice: User, room: Room) -> None:
    client = await sync_to_async(client_of)(boss)
    form = {"title": "Old harbour", "topic": "Boats", "body_chars": "140", "max_messages": ""}
    async with connect(alice, "harbour") as hers:
        await sync_to_async(client.post)(f"/admin/chat/room/{room.pk}/change/", form)
        events = await hers.wait_until(
            lambda client: [
                e for f in client.frames if f["type"] == "events" for e in f["events"] if e["kind"] == "room"
            ]
        )
    assert (events[0]["info"]["title"], events[0]["info"]["topic"]) == ("Old harbour", "Boats")
    await room.arefresh_from_db()
    assert room.body_chars == 140
    refused = await sync_to_async(client.post)(f"/admin/chat/room/{room.pk}/change/", form | {"body_chars": "4001"})
    assert "errorlist" in refused.content.decode()


async def test_a_deactivated_account_is_signed_out_everywhere(
    connect: Callable[..., Any], boss: User, bob: User, room: Room
) -> None:
    client, his_client = await sync_to_async(client_of)(boss), await sync_to_async(client_of)(bob)
    async with connect(bob, "harbour") as his:
        answer = await in_a_thread(client, "accounts/user", "deactivate_accounts", bob, boss)
        assert "1 account deactivated." in answer  # not the administrator's own
        assert await his.wait_closed() == 4401
    page = await sync_to_async(his_client.get)("/rooms/harbour/")
    assert page.headers["Location"].startswith("/accounts/login/")
    await in_a_thread(client, "accounts/user", "reactivate_accounts", bob)
    page = await sync_to_async(his_client.get)("/rooms/harbour/")
    assert page.status_code == 302  # the old session does not live again
    login = {"login": "bob", "password": PASSWORD}
    assert (await sync_to_async(his_client.post)("/accounts/login/", login)).headers["Location"] == "/"


async def test_signing_out_everywhere_keeps_the_account(connect: Callable[..., Any], boss: User, bob: User) -> None:
    client = await sync_to_async(client_of)(boss)
    async with connect(bob) as his:
        assert "1 session ended." in await in_a_thread(client, "accounts/user", "sign_out", bob)
        assert await his.wait_closed() == 4401
    assert (await User.objects.aget(pk=bob.pk)).is_active


def test_a_token_is_revoked_and_its_bot_leaves(boss: User, room: Room) -> None:
    integration, token = integrations.create_integration(name="Tide table", rooms=["harbour"])
    assert integrations.find_bot(token) == integration.bot
    assert "1 integration revoked." in act(client_of(boss), "chat/integration", "revoke", integration)
    assert integrations.find_bot(token) is None
    assert room.memberships.get(user=integration.bot).state == "left"


def test_a_deceptive_display_name_is_refused(boss: User, bob: User) -> None:
    form = {"username": "bob", "display_name": "\u202eboss", "email": ""}
    assert "errorlist" in client_of(boss).post(f"/admin/accounts/user/{bob.pk}/change/", form).content.decode()
    assert User.objects.get(pk=bob.pk).display_name == ""
