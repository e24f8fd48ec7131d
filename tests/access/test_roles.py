"""What each role may do in a room: one table, tried over HTTP and over the socket.

What a user may not do gets the answer for a room, a member or a message that does not exist.
"""

import json
from typing import Any, NamedTuple
from uuid import uuid4

import pytest
from django.db import transaction
from django.test import Client

from accounts.guests import make_guest
from accounts.models import User
from chat.models import Membership, Room
from chat.services import invitations, members, messages, rooms
from chat.ws.protocol import Command
from tests import asgi_transport
from tests.chat_client import Closed, Refused

ROLES = ("anonymous", "token", "stranger", "banned", "guest", "member", "moderator", "owner")
INSIDE = {"guest", "member", "moderator", "owner"}  # a guest is a member like others
MODERATING = {"moderator", "owner"}
OWNING = {"owner"}
NO_ROLE: set[str] = set()


class Action(NamedTuple):
    """Who may, and how it is asked for: a command on the socket, and method, path and body over HTTP."""

    who: set[str]
    socket: dict[str, Any] | None
    rest: tuple[str, str, dict[str, Any] | None] | None


CID = "5f0d2c1e-8a55-4a36-8d53-55b8a8a0cf12"
ACTIONS = {
    "follow": Action(INSIDE, {"type": "join", "room": "SLUG"}, ("post", "rooms/SLUG/join/", None)),
    "read": Action(INSIDE, {"type": "history", "room": "SLUG"}, ("get", "rooms/SLUG/messages/", None)),
    "say": Action(
        INSIDE,
        {"type": "send", "room": "SLUG", "cid": CID, "body": "hi"},
        ("post", "rooms/SLUG/messages/", {"cid": CID, "body": "hi"}),
    ),
    "type": Action(INSIDE, {"type": "typing", "room": "SLUG", "on": True}, None),
    "mark read": Action(
        INSIDE, {"type": "read", "room": "SLUG", "seq": 1}, ("post", "rooms/SLUG/read/", {"seq": 1})
    ),
    "see members": Action(INSIDE, None, ("get", "rooms/SLUG/members/", None)),
    "edit another's message": Action(
        NO_ROLE,
        {"type": "edit", "message": "MESSAGE", "body": "no", "rev": "REV"},
        ("patch", "messages/MESSAGE/", {"body": "no", "rev": "REV"}),
    ),
    "see who is banned": Action(MODERATING, None, ("get", "rooms/SLUG/members/?state=banned", None)),
    "add a member": Action(MODERATING, None, ("post", "rooms/SLUG/members/", {"username": "newcomer"})),
    "remove a member": Action(MODERATING, None, ("delete", "rooms/SLUG/members/VICTIM/", None)),
    "ban a member": Action(MODERATING, None, ("put", "rooms/SLUG/bans/VICTIM/", None)),
    "unban a member": Action(MODERATING, None, ("delete", "rooms/SLUG/bans/BANNED/", None)),
    "remove a moderator": Action(OWNING, None, ("delete", "rooms/SLUG/members/MODERATOR/", None)),
    "remove the owner": Action(NO_ROLE, None, ("delete", "rooms/SLUG/members/OWNER/", None)),
    "ban the owner": Action(NO_ROLE, None, ("put", "rooms/SLUG/bans/OWNER/", None)),
    "make a moderator": Action(OWNING, None, ("patch", "rooms/SLUG/members/VICTIM/", {"role": "moderator"})),
    "hand the room over": Action(OWNING, None, ("patch", "rooms/SLUG/members/VICTIM/", {"role": "owner"})),
    "describe": Action(OWNING, None, ("patch", "rooms/SLUG/", {"title": "Other"})),
    "see invitations": Action(MODERATING, None, ("get", "rooms/SLUG/invitations/", None)),
    "invite": Action(MODERATING, None, ("post", "rooms/SLUG/invitations/", {})),
    "revoke an invitation": Action(MODERATING, None, ("delete", "rooms/SLUG/invitations/INVITATION/", None)),
    "delete another's message": Action(
        MODERATING, {"type": "delete", "message": "MESSAGE"}, ("delete", "messages/MESSAGE/", None)
    ),
    "leave": Action(INSIDE, {"type": "leave", "room": "SLUG"}, ("post", "rooms/SLUG/leave/", None)),
}  # fmt: skip


class Scene(NamedTuple):
    """A private room with one of each, and what the actions are about."""

    cast: dict[str, User | None]
    names: dict[str, Any]


@pytest.fixture
def scene(alice: User, bob: User, mallory: User, secret: Room) -> Scene:
    moderator, second, victim, ben, _ = [
        User.objects.create_user(name) for name in ("mod", "second", "victim", "ben", "newcomer")
    ]
    guest = make_guest("Gil")
    for user in (moderator, second, victim, ben, guest):
        members.add_member(slug=secret.slug, by=alice, user=user)
    for user in (moderator, second):
        members.set_role(slug=secret.slug, by=alice, user=user.pk, role="moderator")
    members.remove_member(slug=secret.slug, by=alice, user=ben.pk, ban=True)
    rooms.create_private_room(title="Another", owner=mallory)
    message = messages.post_message(room=secret.slug, author=victim, body="psst", cid=uuid4()).message
    names = {
        "SLUG": secret.slug,
        "MESSAGE": message.pk,
        "REV": message.rev,
        "VICTIM": victim.pk,
        "BANNED": ben.pk,
        "MODERATOR": second.pk,
        "OWNER": alice.pk,
        "INVITATION": invitations.create_invitation(slug=secret.slug, by=alice).id,
    }
    cast = {"stranger": mallory, "banned": ben, "guest": guest, "member": bob, "moderator": moderator, "owner": alice}
    return Scene({**cast, "anonymous": None, "token": None}, names)


def filled(wish: Any, names: dict[str, Any]) -> Any:
    if isinstance(wish, dict):
        return {name: filled(value, names) for name, value in wish.items()}
    if isinstance(wish, str):
        if wish in names:
            return names[wish]
        for name, value in names.items():
            wish = wish.replace(name, str(value))
    return wish


def asked(client: Client, action: Action, scene: Scene, **headers: str) -> Any:
    """The answer; what it did is undone."""
    assert action.rest
    method, path, body = action.rest
    with transaction.atomic():
        answer = client.generic(
            method.upper(),
            "/api/" + filled(path, scene.names),
            "" if body is None else json.dumps(filled(body, scene.names)),
            content_type="application/json",
            **headers,
        )
        transaction.set_rollback(True)
    return answer


@pytest.mark.parametrize("role", ROLES)
def test_over_http(scene: Scene, role: str):
    client = Client()
    headers = {"HTTP_AUTHORIZATION": "Bearer parley_" + "x" * 32} if role == "token" else {}
    if user := scene.cast[role]:
        client.force_login(user)
    for name, action in ACTIONS.items():
        if action.rest is None:
            continue
        answer = asked(client, action, scene, **headers)
        if role in action.who:
            assert answer.status_code in (200, 201, 204), (name, answer.content)
        elif user is None:
            assert answer.status_code in (401, 403), name
            assert answer.json()["error"]["code"] == "unauthenticated", name
        else:
            assert (answer.status_code, answer.json()["error"]["code"]) == (404, "not_found"), name


@pytest.mark.parametrize("role", [role for role in ROLES if role not in ("anonymous", "token")])
async def test_over_the_socket(connect, scene: Scene, role: str):
    async with connect(scene.cast[role]) as theirs:
        for action in ACTIONS.values():
            if action.socket is None:
                continue
            command = filled(action.socket, scene.names)
            fields = {field: value for field, value in command.items() if field != "type"}
            if role in action.who:
                await theirs.request(command["type"], **fields)
            else:
                with pytest.raises(Refused, match="not_found"):
                    await theirs.request(command["type"], **fields)


@pytest.mark.parametrize("credentials", [{}, {"token": "parley_" + "x" * 32}], ids=["anonymous", "token"])
async def test_an_anonymous_socket_cannot_send_a_command(scene: Scene, credentials: dict[str, str]):
    visit = await asgi_transport.new_client()
    await visit.open()
    with pytest.raises(Closed, match="4401"):
        await visit.request("hello", **credentials)
    await visit.__aexit__(None, None, None)


def test_every_role_and_every_command_about_a_room_is_in_the_table():
    assert set(Membership.Role.values) <= set(ROLES)
    tried = {action.socket["type"] for action in ACTIONS.values() if action.socket}
    assert {command.__name__.lower() for command in Command.__args__} - {"hello", "auth", "pong"} == tried
