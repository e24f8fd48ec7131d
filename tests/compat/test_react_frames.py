"""The frames of the JWT + React chat: which it accepts, and which of ours its clients never receive."""

import json
from uuid import uuid4

import pytest
from asgiref.sync import sync_to_async

from chat import limits
from chat.models import Message
from chat.services import messages, rooms
from chat.ws.application import ChatApplication
from realtime.process import shared_process
from tests import inside
from tests.signed_in import session_of
from tests.tab import Closed
from tests.tokens import FORGERIES, forge, tokens_of


@pytest.fixture
async def chat(alice, bob):
    return (await sync_to_async(rooms.open_direct_room)(me=alice, other=bob)).slug


class Client:
    """What a client says and reads."""

    def __init__(self, socket):
        self.socket = socket

    async def says(self, command, **fields):
        await self.socket.send(json.dumps({"command": command, **fields}))

    async def reads(self):
        return json.loads(await self.socket.receive())

    async def error(self):
        frame = await self.reads()
        assert frame.keys() == {"command", "error"}
        assert frame["command"] == "error"
        return frame["error"]

    async def ended(self):
        with pytest.raises(Closed) as closed:
            await self.reads()
        return closed.value.code


@pytest.fixture
async def client(tab, chat):
    """`await client(alice)`: hers, signed in by cookie; `token=` by header; without both, a stranger's."""
    opened = []

    async def come(user=None, token="", slug=chat, **options):
        cookie = await sync_to_async(session_of)(user) if user else ""
        options |= {"authorization": f"Bearer {token}"} if token else {}
        path = options.pop("path", f"/ws/chat/{slug}/")
        opened.append(await inside.Inside.open(cookie=cookie, path=path, subprotocols=(), **options))
        return Client(opened[-1])

    yield come
    for socket in opened:
        await socket.close()


def post(slug, author, body):
    return messages.post_message(room=slug, author=author, body=body, cid=uuid4()).message


async def test_it_hears_new_messages_and_no_more_of_what_happens(client, tab, chat, alice, bob):
    hers = await client(alice)
    await hers.says("fetch_messages")
    assert await hers.reads() == {"command": "messages", "messages": []}
    async with tab(bob, chat) as his:
        sent = (await his.post(chat, "frist"))["message"]
        await his.ask("typing", room=chat, on=True)
        edited = (await his.ask("edit", message=sent["id"], body="first", rev=sent["rev"]))["message"]
        await his.ask("delete", message=edited["id"])
        await his.post(chat, "second")
    assert [(await hers.reads())["message"]["content"] for _ in range(2)] == ["frist", "second"]
    await hers.says("fetch_messages")
    (only,) = (await hers.reads())["messages"]
    assert (only["author"], only["content"]) == ("bob", "second")


async def test_what_it_says_is_heard_on_sockets_of_today(client, tab, chat, alice, bob):
    async with tab(bob, chat) as his:
        hers = await client(alice)
        await hers.says("new_message", message=" hi ", **{"from": "bob", "id": 1, "author": "bob", "author_id": bob.pk})
        assert (await his.hears(chat, "hi"))["author"]["id"] == alice.pk
        assert (await hers.reads())["message"]["author"] == "alice"


async def test_authors_are_usernames_and_never_the_names_people_choose(client, chat, alice, bob):
    bob.display_name = "alice"  # would stand on her side of the page
    await bob.asave()
    hers = await client(alice)
    await hers.says("fetch_messages")  # answered once she is in the room
    await hers.reads()
    await sync_to_async(post)(chat, bob, "I am you")
    assert (await hers.reads())["message"]["author"] == "bob"


async def test_the_newest_fifteen_come_newest_first(client, chat, alice, bob):
    for number in range(17):
        await sync_to_async(post)(chat, bob, str(number))
    hers = await client(alice)
    await hers.says("fetch_messages")
    assert [one["content"] for one in (await hers.reads())["messages"]] == [str(n) for n in range(16, 1, -1)]


@pytest.mark.parametrize("slug", ["nowhere", "private", "chat"])
async def test_who_has_no_business_there_is_told_so_and_changes_nothing(client, chat, secret, alice, mallory, slug):
    place = {"nowhere": "~AAAAAAAAAAAAAAAA", "private": secret.slug, "chat": chat}[slug]
    hers = await client(mallory, slug=place)
    told = [await hers.error()]
    for command in ({"command": "fetch_messages"}, {"command": "new_message", "message": "hi", "from": "alice"}):
        await hers.says(**command)
        told.append(await hers.error())
    assert told == ["There is no such room, or you are not in it."] * 3
    assert not await Message.objects.aexists()


async def test_a_private_room_is_no_conversation(client, secret, alice):
    hers = await client(alice, slug=secret.slug)
    assert "no such room" in await hers.error()


@pytest.mark.parametrize("forgery", FORGERIES)
@pytest.mark.parametrize("way", ["header", "hello", "auth"])
async def test_a_forged_token_is_4401(client, alice, mallory, forgery, way):
    hers = await sync_to_async(tokens_of)(mallory)
    forged = forge(forgery, hers, alice)
    if way == "header":
        visit = await client(token=forged, origin=None)
    else:
        visit = await client(mallory if way == "auth" else None)
        if way == "auth":
            assert "no such room" in await visit.error()
        await visit.says(way, token=forged)
    assert await visit.error() == "The access token is not valid."
    assert await visit.ended() == 4401


async def test_a_token_may_come_in_a_first_frame_and_be_renewed(client, chat, alice):
    token = (await sync_to_async(tokens_of)(alice)).access
    hers = await client()
    await hers.says("fetch_messages")
    assert await hers.error() == "Send hello first."
    await hers.says("hello", token=token)
    await hers.says("auth", token=token)
    await hers.says("new_message", message="hi")
    assert (await hers.reads())["message"]["author"] == "alice"


async def test_the_end_of_a_token_is_announced(client, chat, alice, monkeypatch):
    monkeypatch.setattr(limits, "EXPIRY_NOTICE_SECONDS", 60 * 60)
    hers = await client(token=(await sync_to_async(tokens_of)(alice)).access, origin=None)
    frame = await hers.reads()
    assert (frame["command"], 0 < frame["in"] <= 15 * 60) == ("auth_expiring", True)


async def test_who_never_says_who_they_are_is_closed(client, monkeypatch):
    monkeypatch.setattr(limits, "HELLO_SECONDS", 0.01)
    visit = await client()
    assert await visit.error() == "The client did not send hello in time."
    assert await visit.ended() == 4408


@pytest.mark.parametrize(
    ("frame", "said"),
    [
        ({}, "missing required field `command`"),
        ({"command": "drop_tables"}, "Invalid value 'drop_tables'"),
        ({"command": ["new_message"]}, "Expected `str`"),
        ({"command": "new_message"}, "missing required field `message`"),
        ({"command": "new_message", "message": ""}, "Expected `str` of length >= 1"),
        ({"command": "new_message", "message": {"a": 1}}, "Expected `str`, got `object`"),
        ({"command": "new_message", "message": "x" * 4001}, "length <= 4000"),
        ({"command": "new_message", "message": "nul\0"}, "between 1 and 4,000"),
        ({"command": "new_message", "message": "half \ud83d"}, "half of a surrogate pair"),
        ({"command": "new_message", "message": "hi", "chatId": 7}, "another chat"),
        ({"command": "fetch_messages", "chatId": "~AAAAAAAAAAAAAAAA"}, "another chat"),
        ({"command": "fetch_messages", "chatId": {}}, "Expected `int | str | null`"),
        ({"type": "send"}, "missing required field `command`"),
    ],
)
async def test_what_makes_no_sense_is_refused_and_the_socket_stays(client, alice, frame, said):
    hers = await client(alice)
    await hers.socket.send(json.dumps(frame))
    assert said in await hers.error()
    await hers.says("fetch_messages")
    assert (await hers.reads())["messages"] == []


@pytest.mark.parametrize("text", ["no json", "[" * 100_000, '{"command":"fetch_messages"', "NaN"])
async def test_what_is_no_json_ends_it(client, alice, text):
    hers = await client(alice)
    await hers.socket.send(text)
    code = 1009 if len(text) > limits.FRAME_BYTES else 4400
    assert (await hers.error()) != ""
    assert await hers.ended() == code


async def test_a_flood_is_slowed_down_as_anybodys(client, alice, settings):
    settings.SOCKET_RATE, settings.SOCKET_BURST = 0.001, 3
    hers = await client(alice)  # hello was the first of them
    for _ in range(3):
        await hers.says("fetch_messages")
    assert [(await hers.reads())["command"] for _ in range(2)] == ["messages", "messages"]
    assert await hers.error() == "Too many commands."


async def test_it_answers_no_pings_and_lives(client, alice, monkeypatch):
    hers = await client(alice)
    await hers.says("fetch_messages")
    await hers.reads()
    (socket,) = shared_process(ChatApplication).hub.users.sockets_of(alice.pk)
    for _ in range(4):
        socket.send_ping()
        assert await hers.reads() == {"command": "ping"}
    await hers.says("fetch_messages")
    assert (await hers.reads())["command"] == "messages"


async def test_a_conversation_that_was_ended_says_so(client, chat, alice, bob):
    hers, his = await client(alice), await client(bob)
    for each in (hers, his):
        await each.says("fetch_messages")
        await each.reads()
    await sync_to_async(rooms.end_direct_room)(slug=chat, user=alice)
    for each in (hers, his):
        assert await each.error() == "This chat was ended."
        await each.says("new_message", message="still?")
        assert "no such room" in await each.error()


async def test_elsewhere_the_subprotocol_is_asked_for(client, chat, alice):
    hers = await client(alice, path="/ws/")
    frame = await hers.reads()
    assert (frame["type"], "parley.v1" in frame["reason"]) == ("bye", True)
    assert await hers.ended() == 4400


async def test_a_client_that_offers_something_else_is_told_what_to_offer(tab, chat, alice):
    cookie = await sync_to_async(session_of)(alice)
    socket = await inside.Inside.open(cookie=cookie, path=f"/ws/chat/{chat}/", subprotocols=("graphql-ws",))
    assert "parley.v1" in json.loads(await socket.receive())["reason"]
    await socket.close()


async def test_a_page_of_another_site_speaks_with_nobodys_cookie(client, alice):
    with pytest.raises(Closed):
        await client(alice, origin="https://evil.example")
