"""The administration: lists to find things in, and actions of which live rooms hear."""

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
def said(room: Room, bob: User) -> Message:
    return post_message(room=room.slug, author=bob, body="Rude words", cid=uuid4()).message


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
def test_every_list_and_every_detail_has_its_page(language: str, boss: User, said: Message, secret: Room) -> None:
    Invitation.objects.create(room=secret, made_by=boss, digest="d", expires_at=timezone.now())
    client = client_of(boss)
    client.cookies["django_language"] = language
    assert client.get("/admin/").status_code == 200
    for page in PAGES:
        assert client.get(f"/admin/{page}/?q=rude").status_code == 200, page
    his = said.room.memberships.get(user=said.author)
    for row, page in zip((boss, said.room, said, his), PAGES, strict=False):
        assert client.get(f"/admin/{page}/{row.pk}/change/").status_code == 200, page
    index = client.get("/admin/").content.decode()
    assert {"en": "Memberships", "pt-br": "Participações", "es": "Membresías"}[language] in index
    rooms = client.get("/admin/chat/room/").content.decode()
    assert '<td class="field-people">2</td><td class="field-messages">1</td>' in rooms


def test_what_is_seen_can_be_found(boss: User, said: Message) -> None:
    client = client_of(boss)
    assert "Rude words" in client.get("/admin/chat/message/?q=rude").content.decode()
    assert "Rude words" not in client.get("/admin/chat/message/?q=polite").content.decode()
    assert "Rude words" in client.get("/admin/chat/message/?q=harbour").content.decode()
    assert "alice" in client.get("/admin/accounts/user/?is_guest__exact=0&q=Lind").content.decode()


@pytest.mark.parametrize("page", PAGES)
def test_members_and_strangers_see_nothing_of_it(page: str, alice: User) -> None:
    for client in (Client(), client_of(alice)):
        answer = client.get(f"/admin/{page}/")
        assert answer.headers["Location"].startswith("/admin/login/")


def test_nothing_is_deleted_or_written_past_the_services(
    boss: User, said: Message, caplog: pytest.LogCaptureFixture
) -> None:
    client = client_of(boss)
    for row, page in ((boss, PAGES[0]), (said.room, PAGES[1]), (said, PAGES[2])):
        assert client.post(f"/admin/{page}/{row.pk}/delete/", {"post": "yes"}).status_code == 403
    assert client.post(f"/admin/chat/message/{said.pk}/change/", {"body": "Kind words"}).status_code == 403
    assert client.post("/admin/chat/room/add/", {"slug": "new"}).status_code == 403
    assert Message.objects.get(pk=said.pk).body == "Rude words"
    caplog.clear()  # Django tells each refusal with its traceback, and is right to


def test_who_may_only_look_cannot_act(said: Message) -> None:
    looker = User.objects.create_user("looker", password=PASSWORD, is_staff=True)
    looker.user_permissions.set(
        Permission.objects.filter(codename__in=["view_message", "view_membership", "view_user"])
    )
    client = client_of(looker)
    assert "Rude words" in client.get("/admin/chat/message/").content.decode()
    act(client, "chat/message", "moderator_delete", said)
    act(client, "chat/membership", "ban", said.room.memberships.get(user=said.author))
    act(client, "accounts/user", "deactivate_accounts", said.author)
    assert Message.objects.get(pk=said.pk).body == "Rude words"
    assert said.room.memberships.get(user=said.author).state == "joined"
    assert User.objects.get(pk=said.author.pk).is_active


async def test_a_message_that_is_taken_back_goes_from_open_rooms(
    tab: Callable[..., Any], boss: User, alice: User, said: Message
) -> None:
    client = await sync_to_async(client_of)(boss)
    async with tab(alice, "harbour") as hers:
        assert "1 message deleted." in await in_a_thread(client, "chat/message", "moderator_delete", said)
        await hers.until(lambda tab: tab.rooms["harbour"].messages[said.pk]["deleted"])
    assert "0 messages deleted." in await in_a_thread(client, "chat/message", "moderator_delete", said)
    assert (await Message.objects.aget(pk=said.pk)).body == ""


@pytest.mark.parametrize(("action", "state"), [("remove", "kicked"), ("ban", "banned")])
async def test_whoever_is_put_out_is_out_at_once(
    tab: Callable[..., Any], action: str, state: str, boss: User, bob: User, room: Room
) -> None:
    client = await sync_to_async(client_of)(boss)
    his = await Membership.objects.aget(room=room, user=bob)
    async with tab(bob, "harbour") as socket:
        assert "1 membership changed." in await in_a_thread(client, "chat/membership", action, his)
        assert (await socket.frame("left"))["room"] == "harbour"
    await his.arefresh_from_db()
    assert his.state == state
    if action == "ban":
        await in_a_thread(client, "chat/membership", "unban", his)
        await his.arefresh_from_db()
        assert his.state == "left"


async def test_a_room_that_gets_another_title_says_so(
    tab: Callable[..., Any], boss: User, alice: User, room: Room
) -> None:
    client = await sync_to_async(client_of)(boss)
    form = {"title": "Old harbour", "topic": "Boats", "body_chars": "140", "max_messages": ""}
    async with tab(alice, "harbour") as hers:
        await sync_to_async(client.post)(f"/admin/chat/room/{room.pk}/change/", form)
        events = await hers.until(
            lambda tab: [e for f in tab.frames if f["type"] == "events" for e in f["events"] if e["kind"] == "room"]
        )
    assert (events[0]["info"]["title"], events[0]["info"]["topic"]) == ("Old harbour", "Boats")
    await room.arefresh_from_db()
    assert room.body_chars == 140
    refused = await sync_to_async(client.post)(f"/admin/chat/room/{room.pk}/change/", form | {"body_chars": "4001"})
    assert "errorlist" in refused.content.decode()


async def test_an_account_that_is_closed_is_signed_out_everywhere(
    tab: Callable[..., Any], boss: User, bob: User, room: Room
) -> None:
    client, his_client = await sync_to_async(client_of)(boss), await sync_to_async(client_of)(bob)
    async with tab(bob, "harbour") as his:
        said = await in_a_thread(client, "accounts/user", "deactivate_accounts", bob, boss)
        assert "1 account deactivated." in said  # not the administrator's own
        assert await his.end() == 4401
    page = await sync_to_async(his_client.get)("/rooms/harbour/")
    assert page.headers["Location"].startswith("/accounts/login/")
    await in_a_thread(client, "accounts/user", "reactivate_accounts", bob)
    page = await sync_to_async(his_client.get)("/rooms/harbour/")
    assert page.status_code == 302  # the old session does not live again
    login = {"login": "bob", "password": PASSWORD}
    assert (await sync_to_async(his_client.post)("/accounts/login/", login)).headers["Location"] == "/"


async def test_sign_out_everywhere_leaves_the_account(tab: Callable[..., Any], boss: User, bob: User) -> None:
    client = await sync_to_async(client_of)(boss)
    async with tab(bob) as his:
        assert "1 session ended." in await in_a_thread(client, "accounts/user", "sign_out", bob)
        assert await his.end() == 4401
    assert (await User.objects.aget(pk=bob.pk)).is_active


def test_a_token_is_revoked_and_its_bot_leaves(boss: User, room: Room) -> None:
    integration, token = integrations.create_integration(name="Tide table", rooms=["harbour"])
    assert integrations.find_bot(token) == integration.bot
    assert "1 integration revoked." in act(client_of(boss), "chat/integration", "revoke", integration)
    assert integrations.find_bot(token) is None
    assert room.memberships.get(user=integration.bot).state == "left"


def test_a_name_that_pretends_is_refused_here_too(boss: User, bob: User) -> None:
    form = {"username": "bob", "display_name": "\u202eboss", "email": ""}
    assert "errorlist" in client_of(boss).post(f"/admin/accounts/user/{bob.pk}/change/", form).content.decode()
    assert User.objects.get(pk=bob.pk).display_name == ""
