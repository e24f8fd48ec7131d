"""mallory is in no room of alice and bob: she can do nothing there, and cannot find out whether a hidden room exists.

One table lists what she tries over the socket and over HTTP, for rooms of every kind. The answer for a hidden room
equals, byte for byte, the answer for a room that does not exist.
"""

import json
import re
from typing import Any, NamedTuple
from uuid import UUID, uuid4

import pytest
from asgiref.sync import sync_to_async
from django.test import Client

from accounts.models import User
from chat.models import Membership, Message, Room
from chat.services import messages, rooms
from tests import asgi_transport
from tests.chat_client import ChatClient

NOWHERE = "~AAAAAAAAAAAAAAAA"  # as a hidden room may be called
NO_MESSAGE = 2**53 - 1


class Place(NamedTuple):
    """Where she tries it: a room's slug, and a message in it."""

    slug: str
    message: int
    rev: int = 3


class Try(NamedTuple):
    """The same wish as a command on the socket and as a request. `open_says`: in an open room she has not joined."""

    socket: dict[str, Any] | None
    rest: tuple[str, str, dict[str, Any] | None] | None
    open_says: str = "not_found"


CID = "5f0d2c1e-8a55-4a36-8d53-55b8a8a0cf11"
TRIES = {
    "join": Try({"type": "join", "room": "SLUG"}, ("post", "/api/rooms/SLUG/join/", None), "allowed"),
    "resume": Try(
        {"type": "join", "room": "SLUG", "since": {"epoch": "EPOCH", "seq": 1}, "limit": 300}, None, "allowed"
    ),
    "read": Try({"type": "history", "room": "SLUG"}, ("get", "/api/rooms/SLUG/messages/", None)),
    "read back": Try(
        {"type": "history", "room": "SLUG", "before": 9, "limit": 1},
        ("get", "/api/rooms/SLUG/messages/?before=9&limit=1", None),
    ),
    "post": Try(
        {"type": "send", "room": "SLUG", "cid": CID, "body": "hi"},
        ("post", "/api/rooms/SLUG/messages/", {"cid": CID, "body": "hi"}),
    ),
    "answer": Try(
        {"type": "send", "room": "SLUG", "cid": CID, "body": "hi", "reply_to": "MESSAGE"},
        ("post", "/api/rooms/SLUG/messages/", {"cid": CID, "body": "hi", "reply_to": "MESSAGE"}),
    ),
    "post nothing": Try(
        {"type": "send", "room": "SLUG", "cid": CID, "body": " "},
        ("post", "/api/rooms/SLUG/messages/", {"cid": CID, "body": " "}),
    ),
    "edit": Try(
        {"type": "edit", "message": "MESSAGE", "body": "hi", "rev": "REV"},
        ("patch", "/api/messages/MESSAGE/", {"body": "hi", "rev": "REV"}),
    ),
    "edit a stale one": Try(
        {"type": "edit", "message": "MESSAGE", "body": "hi", "rev": 0},
        ("patch", "/api/messages/MESSAGE/", {"body": "hi", "rev": 0}),
    ),
    "delete": Try({"type": "delete", "message": "MESSAGE"}, ("delete", "/api/messages/MESSAGE/", None)),
    "type": Try({"type": "typing", "room": "SLUG", "on": True}, None),
    "mark read": Try(
        {"type": "read", "room": "SLUG", "seq": 1}, ("post", "/api/rooms/SLUG/read/", {"seq": 1})
    ),
    "leave": Try({"type": "leave", "room": "SLUG"}, ("post", "/api/rooms/SLUG/leave/", None)),
    "show": Try(None, ("get", "/api/rooms/SLUG/", None)),
    "describe": Try(None, ("patch", "/api/rooms/SLUG/", {"title": "Mine"})),
    "describe badly": Try(None, ("patch", "/api/rooms/SLUG/", {"title": "x" * 81}), "invalid"),
    "add herself": Try(None, ("post", "/api/rooms/SLUG/members/", {"username": "mallory"})),
    "add an absent user": Try(None, ("post", "/api/rooms/SLUG/members/", {"username": "nobody-at-all"})),
    "see who is there": Try(None, ("get", "/api/rooms/SLUG/members/", None)),
    "see who is banned": Try(None, ("get", "/api/rooms/SLUG/members/?state=banned", None)),
    "give a role": Try(None, ("patch", "/api/rooms/SLUG/members/1/", {"role": "moderator"})),
    "remove a member": Try(None, ("delete", "/api/rooms/SLUG/members/1/", None)),
    "ban a member": Try(None, ("put", "/api/rooms/SLUG/bans/1/", None)),
    "lift a ban": Try(None, ("delete", "/api/rooms/SLUG/bans/1/", None)),
    "see invitations": Try(None, ("get", "/api/rooms/SLUG/invitations/", None)),
    "invite": Try(None, ("post", "/api/rooms/SLUG/invitations/", {"hours": 1})),
    "revoke an invitation": Try(None, ("delete", "/api/rooms/SLUG/invitations/1/", None)),
    "open it by name": Try(None, ("post", "/api/rooms/", {"kind": "open", "name": "SLUG"}), "allowed"),
    "see it as a chat": Try(None, ("get", "/api/chats/SLUG/", None)),
    "take it as a chat": Try(None, ("put", "/api/chats/SLUG/", {"participants": ["alice", "mallory"], "read": 1})),
    "mark it as a chat": Try(None, ("patch", "/api/chats/SLUG/", {"read": 1})),
    "end it as a chat": Try(None, ("delete", "/api/chats/SLUG/", None)),
    "post as the guide does": Try(
        None, ("post", "/chat/rooms/SLUG/user/alice/", {"message": "hi"}), "allowed"
    ),
    "post as the relay does": Try(
        None, ("post", "/save_message/", {"user_name": "alice", "message": "hi", "room": "SLUG"}), "allowed"
    ),
    "see its page": Try(None, ("get", "/rooms/SLUG/", None), "allowed"),
}  # fmt: skip
OVER_SOCKET = [name for name, one in TRIES.items() if one.socket]
OVER_HTTP = [name for name, one in TRIES.items() if one.rest]


def filled(wish: Any, place: Place) -> Any:
    """The wish with the place's names in it."""
    if isinstance(wish, dict):
        return {name: filled(value, place) for name, value in wish.items()}
    if wish in ("MESSAGE", "REV"):
        return place.message if wish == "MESSAGE" else place.rev
    return wish.replace("SLUG", place.slug).replace("MESSAGE", str(place.message)) if isinstance(wish, str) else wish


@sync_to_async
def furnish(room: Room, alice: User) -> Place:
    """Alice has posted a message there; its id equals no other number in an answer."""
    posted = messages.post_message(room=room.slug, author=alice, body="psst", cid=uuid4()).message
    Message.objects.filter(pk=posted.pk).update(id=posted.pk + 7_000_000_000)
    return Place(room.slug, posted.pk + 7_000_000_000, posted.rev)


@pytest.fixture
async def places(room, secret, alice, bob) -> dict[str, Place]:
    """Rooms of alice and bob; both are in each."""
    pair = await sync_to_async(rooms.open_direct_room)(me=alice, other=bob)
    return {
        "private": await furnish(secret, alice),
        "direct": await furnish(pair, alice),
        "open": await furnish(room, alice),
    }


async def state_of_the_world() -> Any:
    """Everything that she must not change."""
    return (
        [row async for row in Room.objects.order_by("pk").values()],
        [row async for row in Membership.objects.order_by("pk").values()],
        [row async for row in Message.objects.order_by("pk").values()],
    )


async def over_socket(client: ChatClient, name: str, place: Place) -> str:
    """The frame that answers her, as text, without the names that she used herself."""
    seen = len(client.frames)
    await client.transport.send(json.dumps({"id": 7, **filled(TRIES[name].socket, place)}))
    await client.wait_until(lambda client: any(frame.get("id") == 7 for frame in client.frames[seen:]))
    return anonymous(json.dumps(client.frames[seen:]), place)


@sync_to_async
def over_http(user: User | None, name: str, place: Place) -> str:
    """Status, headers and body of the answer."""
    method, path, body = TRIES[name].rest  # type: ignore[misc]
    client = Client(raise_request_exception=False)
    if user:
        client.force_login(user)
    answer = client.generic(
        method.upper(),
        filled(path, place),
        json.dumps(filled(body, place)) if body is not None else "",
        content_type="application/json",
    )
    headers = {name: value for name, value in answer.headers.items() if name not in ("Set-Cookie", "Content-Length")}
    text = f"{answer.status_code} {sorted(headers.items())} {answer.content.decode()}"
    return anonymous(text.replace(answer.headers["X-Request-ID"], "REQUEST"), place)


def anonymous(text: str, place: Place) -> str:
    return text.replace(place.slug, "SLUG").replace(str(place.message), "MESSAGE")


@pytest.mark.parametrize("kind", ["private", "direct"])
@pytest.mark.parametrize("name", OVER_SOCKET)
async def test_over_the_socket_a_hidden_room_looks_like_an_absent_one(connect, places, mallory, name, kind):
    async with connect(mallory) as theirs, connect(mallory) as other:
        before = await state_of_the_world()
        nowhere = await over_socket(other, name, Place(NOWHERE, NO_MESSAGE))
        there = await over_socket(theirs, name, places[kind])
        assert there == nowhere
        assert '"type": "error"' in there
        assert await state_of_the_world() == before


@pytest.mark.parametrize("kind", ["private", "direct"])
@pytest.mark.parametrize("name", OVER_HTTP)
async def test_over_http_a_hidden_room_looks_like_an_absent_one(places, mallory, name, kind):
    before = await state_of_the_world()
    nowhere = await over_http(mallory, name, Place(NOWHERE, NO_MESSAGE))
    there = await over_http(mallory, name, places[kind])
    assert there == nowhere
    assert there.startswith("4")
    assert await state_of_the_world() == before


@pytest.mark.parametrize("name", OVER_SOCKET)
async def test_a_hidden_room_looks_absent_while_others_are_in_it(connect, places, alice, mallory, name):
    place = places["private"]
    async with connect(alice, place.slug) as hers, connect(mallory) as theirs:  # the process knows the room now
        answer = [await over_socket(theirs, name, one) for one in (place, Place(NOWHERE, NO_MESSAGE))]
        assert answer[0] == answer[1]
        await hers.post(place.slug, "is the room still hidden?")
        await hers.wait_for_message(place.slug, "is the room still hidden?")
        assert not [frame for frame in hers.frames if frame.get("kind") == "typing"]
        assert not [frame for frame in theirs.frames if frame["type"] in ("events", "ephemeral", "joined")]


@pytest.mark.parametrize("name", OVER_SOCKET)
async def test_over_the_socket_an_open_room_must_be_joined_first(connect, places, mallory, name):
    before = await state_of_the_world()
    async with connect(mallory) as theirs:
        answer = await over_socket(theirs, name, places["open"])
    if TRIES[name].open_says == "allowed":
        assert '"type": "joined"' in answer
    else:
        assert f'"code": "{TRIES[name].open_says}"' in answer
        assert await state_of_the_world() == before


@pytest.mark.parametrize("name", OVER_HTTP)
async def test_over_http_an_open_room_must_be_joined_first(places, mallory, name):
    before = await state_of_the_world()
    answer = await over_http(mallory, name, places["open"])
    if TRIES[name].open_says == "allowed":
        assert answer.startswith("200 ")
        assert "psst" not in answer
    else:
        assert f'"code":"{TRIES[name].open_says}"' in answer
        assert await state_of_the_world() == before


async def test_a_former_member_cannot_access_a_private_room(connect, places, secret, bob):
    await sync_to_async(rooms.leave_room)(slug=secret.slug, user=bob)
    async with connect(bob) as his:
        for name in OVER_SOCKET:
            nowhere = await over_socket(his, name, Place(NOWHERE, NO_MESSAGE))
            assert await over_socket(his, name, places["private"]) == nowhere, name
    for name in OVER_HTTP:
        nowhere = await over_http(bob, name, Place(NOWHERE, NO_MESSAGE))
        assert await over_http(bob, name, places["private"]) == nowhere, name


async def test_the_socket_address_of_a_hidden_room_reveals_nothing(connect, places, mallory):
    answer = []
    for slug in (places["private"].slug, places["direct"].slug, NOWHERE):
        async with connect(mallory, path=f"/ws/chat/{slug}/") as theirs:
            error = await theirs.wait_for_frame("error")
            answer.append(json.dumps(error).replace(slug, "SLUG"))
    assert len(set(answer)) == 1


async def test_a_list_of_rooms_shows_no_hidden_room_of_others(places, mallory):
    client = Client()
    await sync_to_async(client.force_login)(mallory)
    assert (await sync_to_async(client.get)("/api/rooms/")).json() == {"rooms": []}


async def test_a_member_cannot_do_what_only_the_owner_may_do(places, bob):
    for name in ("describe", "add herself", "add an absent user"):
        for kind in ("private", "open"):
            assert '"code":"not_found"' in await over_http(bob, name, places[kind]), (name, kind)


async def test_a_hidden_room_cannot_be_created_by_choosing_its_slug(connect, mallory):
    async with connect(mallory) as theirs:
        await over_socket(theirs, "join", Place(NOWHERE, NO_MESSAGE))
    for name in ("join", "open it by name", "see its page"):
        await over_http(mallory, name, Place(NOWHERE, NO_MESSAGE))
    assert not await Room.objects.aexists()


async def test_slugs_of_hidden_rooms_cannot_be_guessed(alice):
    made = await sync_to_async(lambda: [rooms.create_private_room(title="x", owner=alice).slug for _ in range(50)])()
    assert len({slug[1:5] for slug in made}) == len(set(made)) == 50


@pytest.mark.parametrize("kind", ["private", "direct", "open", "nowhere"])
@pytest.mark.parametrize("name", OVER_HTTP)
async def test_without_a_session_every_request_is_refused(places, name, kind):
    before = await state_of_the_world()
    answer = await over_http(None, name, places.get(kind, Place(NOWHERE, NO_MESSAGE)))
    if TRIES[name].rest[1].startswith(("/api/", "/chat/")):
        assert answer.startswith(("401 ", "403 "))
        assert '"code":"unauthenticated"' in answer
    elif TRIES[name].rest[1] == "/save_message/":
        assert answer.startswith("401 ")
        assert answer.endswith(" error")
    else:
        assert answer.startswith("302 ")
        assert "/accounts/login/" in answer
    assert await state_of_the_world() == before


@pytest.mark.parametrize("name", OVER_SOCKET)
async def test_without_a_session_every_command_is_refused(places, connect, name):
    visit = await asgi_transport.new_client()
    await visit.open()
    assert '"code": "hello_first"' in await over_socket(visit, name, places["open"])
    await visit.send_command("hello")
    assert await visit.wait_closed() == 4401
    await visit.__aexit__(None, None, None)


def test_every_command_and_every_address_is_in_the_table():
    from chat.api.urls import legacy_urlpatterns, urlpatterns
    from chat.ws.protocol import Command

    tried = {one.socket["type"] for one in TRIES.values() if one.socket}
    assert {command.__name__.lower() for command in Command.__args__} - {"hello", "auth", "pong"} == tried
    addresses = {one.rest[1].split("?")[0] for one in TRIES.values() if one.rest}
    routes = {
        re.sub("<int:(user|invitation)>", "1", str(route.pattern))
        .replace("<str:slug>", "SLUG")
        .replace("<int:message>", "MESSAGE")
        for route in urlpatterns
    }
    # Other files test these: test_compat_jwt.py, test_posting.py, test_people.py, test_invitations.py.
    of_no_place = {"schema/", "auth/register/", "auth/login/", "auth/guest/"}
    of_no_place |= {"contacts/", "chats/", "people/", "invitations/", "(?:.*/)?$"}
    routes = {route.replace("<str:chat>", "SLUG") for route in routes}
    assert {f"/api/{route}" for route in routes - of_no_place} <= addresses
    assert {f"/{str(route.pattern).split('<')[0]}" for route in legacy_urlpatterns} == {
        "/save_message/",
        "/chat/rooms/",
    }
    assert UUID(CID)
