"""The frames of the clients of Node relay, Angular guide and pt-BR chat."""

import asyncio
import json
from uuid import uuid4

import pytest
from asgiref.sync import sync_to_async

from channels_realtime import frames
from channels_realtime.process import shared_process
from chat import limits
from chat.models import Message, Room
from chat.services import integrations, members, messages, rooms
from chat.ws.application import ChatApplication
from chat.ws.compat.consumer import CompatConsumer
from chat.ws.consumer import ChatConsumer
from tests import asgi_transport
from tests.chat_client import Closed
from tests.signed_in import session_of
from tests.tokens import FORGERIES, forge, tokens_of

RELAY, GUIDE, PT_BR = "/ws/chat/", "/ws/chat/harbour/", "/ws/chat/harbour"
ALL = {"relay": RELAY, "guide": GUIDE, "pt-BR": PT_BR}


class Client:
    """A client of one of these chats."""

    def __init__(self, socket):
        self.socket = socket

    async def send(self, **frame):
        await self.socket.send(json.dumps(frame))

    async def receive(self):
        async with asyncio.timeout(20):
            return json.loads(await self.socket.receive())

    async def wait_closed(self):
        """Return the close code that follows the frames received so far."""
        with pytest.raises(Closed) as closed:
            await self.receive()
        return closed.value.code


@pytest.fixture
async def client(connect):
    """`await client(RELAY, alice)` connects with her session cookie; without a user and a token, with no credential."""
    opened = []

    async def connect_client(path, user=None, token="", **options):
        cookie = await sync_to_async(session_of)(user) if user else ""
        options |= {"authorization": f"Bearer {token}"} if token else {}
        opened.append(await asgi_transport.AsgiTransport.open(cookie=cookie, path=path, subprotocols=(), **options))
        return Client(opened[-1])

    yield connect_client
    for socket in opened:
        await socket.close()


@sync_to_async
def post(slug, author, *bodies):
    rooms.join_room(slug=slug, user=author)
    return [messages.post_message(room=slug, author=author, body=one, cid=uuid4()).message for one in bodies]


def message_frame(path, name, body):
    """Return the frame of a message as this chat's clients receive it."""
    if path == GUIDE:
        return {"message": json.dumps({"text": body, "username": name}, separators=(",", ":"))}
    return {"message": body, ("user_name" if path == RELAY else "remetente"): name}


@pytest.mark.parametrize("path", ALL.values(), ids=ALL)
async def test_a_message_posted_during_a_join_is_received(client, monkeypatch, alice, bob, path):
    async def enter(consumer, slug):
        stream = await ChatConsumer.enter_room(consumer, slug)
        await post(slug, bob, "During the join")  # she is a member already, and does not receive events yet
        return stream

    monkeypatch.setattr(CompatConsumer, "enter_room", enter)
    await post("lobby" if path == RELAY else "harbour", bob, "Before")
    hers = await client(path, alice)
    if path == RELAY:
        assert await hers.receive() == message_frame(path, "bob", "Before")
    assert await hers.receive() == message_frame(path, "bob", "During the join")


@pytest.mark.parametrize("path", ALL.values(), ids=ALL)
async def test_the_author_of_a_message_is_the_signed_in_user(client, connect, alice, mallory, path):
    hers, theirs = await client(path, alice), await client(path, mallory)
    async with connect(mallory, "lobby" if path == RELAY else "harbour") as current:
        await hers.send(message="I have joined")
        assert await hers.receive() == message_frame(path, "Alice Lind", "I have joined")
        await current.wait_for_message("lobby" if path == RELAY else "harbour", "I have joined")
        await theirs.send(message="hi", user_name="alice", username="alice", remetente="alice", user=alice.pk)
        assert await hers.receive() == message_frame(path, "mallory", "hi")


@pytest.mark.parametrize("path", ALL.values(), ids=ALL)
async def test_clients_receive_new_messages_and_no_other_events(client, connect, alice, bob, path):
    slug = "lobby" if path == RELAY else "harbour"
    hers = await client(path, alice)
    await hers.send(message="first")
    await hers.receive()
    async with connect(bob, slug) as his:
        sent = (await his.post(slug, "frist"))["message"]
        await his.request("typing", room=slug, on=True)
        edited = (await his.request("edit", message=sent["id"], body="second", rev=sent["rev"]))["message"]
        await his.request("delete", message=edited["id"])
        await his.post(slug, "third")
    assert [await hers.receive() for _ in range(2)] == [message_frame(path, "bob", body) for body in ("frist", "third")]


@pytest.mark.parametrize("path", [GUIDE, PT_BR])
async def test_earlier_messages_are_not_sent_to_clients_of_the_guide_and_of_pt_br(client, alice, bob, path):
    await post("harbour", bob, "before")
    hers = await client(path, alice)
    await hers.send(message="now")
    assert await hers.receive() == message_frame(path, "Alice Lind", "now")


async def test_the_relay_sends_the_whole_history_in_its_current_state_and_then_new_messages(client, alice, bob):
    count = 2 * limits.PAGE + 7
    sent = await post("lobby", bob, *map(str, range(count)))
    await sync_to_async(messages.edit_message)(message=sent[3].pk, author=bob, body="three", rev=sent[3].rev)
    for deleted in sent[: limits.PAGE + 1]:  # more than a page of deleted messages
        if deleted != sent[3]:
            await sync_to_async(messages.delete_message)(message=deleted.pk, user=bob)
    for number in range(limits.RESUME + 5):  # many events after the last message
        await sync_to_async([rooms.leave_room, rooms.join_room][number % 2])(slug="lobby", user=bob)
    hers = await client(RELAY, alice)
    received = [(await hers.receive())["message"] for _ in range(count - limits.PAGE)]
    assert received == ["three", *map(str, range(limits.PAGE + 1, count))]
    await post("lobby", bob, "a new message")
    assert await hers.receive() == {"user_name": "bob", "message": "a new message"}


async def test_the_relay_sends_only_the_messages_that_the_room_keeps(client, alice, bob):
    await post("lobby", bob, "one")
    await Room.objects.filter(slug="lobby").aupdate(max_messages=2)
    await post("lobby", bob, "two", "three")
    hers = await client(RELAY, alice)
    assert [(await hers.receive())["message"] for _ in range(2)] == ["two", "three"]
    assert await Message.objects.acount() == 2


async def test_a_client_that_reads_a_long_history_slowly_is_not_closed(client, alice, bob, monkeypatch):
    monkeypatch.setattr(frames, "MAX_PENDING_BYTES", 6_000)  # bytes: a page is longer than that
    pages = 3
    await post("lobby", bob, *("x" * 40 for _ in range(pages * limits.PAGE)))
    hers = await client(RELAY, alice)
    for _ in range(pages * limits.PAGE):
        assert (await hers.receive())["message"] == "x" * 40


async def test_a_message_of_an_integration_shows_its_alias_as_the_author(client, alice):
    bot, _ = await sync_to_async(integrations.create_integration)(name="Bridge", rooms=["lobby"])
    await sync_to_async(messages.post_message)(room="lobby", author=bot.bot, body="hi", cid=uuid4(), alias="Kai")
    hers = await client(RELAY, alice)
    assert await hers.receive() == {"user_name": "Kai", "message": "hi"}


@pytest.mark.parametrize("path", ALL.values(), ids=ALL)
async def test_blank_messages_are_ignored(client, alice, path):
    hers = await client(path, alice)
    for blank in ("", " ", "\n\t\u3000"):
        await hers.send(message=blank)
    await hers.send(message="a message")
    assert await hers.receive() == message_frame(path, "Alice Lind", "a message")


@pytest.mark.parametrize("path", ALL.values(), ids=ALL)
async def test_a_token_can_be_sent_in_the_first_frame_and_renewed_in_a_later_one(client, alice, mallory, path):
    token = (await sync_to_async(tokens_of)(alice)).access
    hers = await client(path)
    await hers.send(message="too early")
    assert await hers.receive() == {"error": "Send hello first."}
    await hers.send(token=token)
    await hers.send(token=token)
    await hers.send(message="hi")
    assert await hers.receive() == message_frame(path, "Alice Lind", "hi")
    await hers.send(token=(await sync_to_async(tokens_of)(mallory)).access)
    assert await hers.receive() == {"error": "The access token is not valid."}
    assert await hers.wait_closed() == 4401


@pytest.mark.parametrize("forgery", FORGERIES)
async def test_a_forged_token_closes_the_socket_with_4401(client, alice, mallory, forgery):
    forged = forge(forgery, await sync_to_async(tokens_of)(mallory), alice)
    for options in ({"token": forged, "origin": None}, {}):
        theirs = await client(GUIDE, **options)
        if not options:
            await theirs.send(token=forged)
        assert await theirs.receive() == {"error": "The access token is not valid."}
        assert await theirs.wait_closed() == 4401


async def test_a_client_is_notified_before_its_token_expires(client, alice, monkeypatch):
    monkeypatch.setattr(limits, "EXPIRY_NOTICE_SECONDS", 60 * 60)
    hers = await client(GUIDE, token=(await sync_to_async(tokens_of)(alice)).access, origin=None)
    assert 0 < (await hers.receive())["auth_expiring"] <= 15 * 60


@pytest.mark.parametrize("slug", ["secret", "direct", "nowhere"])
async def test_a_hidden_room_is_open_only_to_its_members(client, secret, alice, bob, mallory, slug):
    pair = await sync_to_async(rooms.open_direct_room)(me=alice, other=bob)
    path = "/ws/chat/" + {"secret": secret.slug, "direct": pair.slug, "nowhere": "~AAAAAAAAAAAAAAAA"}[slug]
    theirs = await client(path, mallory)
    assert await theirs.receive() == {"error": "There is no such room, or you are not in it."}
    await theirs.send(message="hi")
    assert await theirs.receive() == {"error": "There is no such room, or you are not in it."}
    if slug != "nowhere":
        hers = await client(path, alice)
        await hers.send(message="psst")
        assert await hers.receive() == {"message": "psst", "remetente": "Alice Lind"}
    assert await Message.objects.filter(author=mallory).acount() == 0


@pytest.mark.parametrize("path", ALL.values(), ids=ALL)
async def test_a_removed_member_is_notified_and_receives_nothing_more(client, alice, bob, path):
    slug = "lobby" if path == RELAY else "harbour"
    await sync_to_async(rooms.join_room)(slug=slug, user=alice)
    his = await client(path, bob)
    await his.send(message="hello")
    await his.receive()
    await sync_to_async(members.remove_member)(slug=slug, by=alice, user=bob.pk, ban=True)
    assert await his.receive() == {"error": "You are no longer in this room."}
    await his.send(message="still?")
    assert await his.receive() == {"error": "There is no such room, or you are not in it."}
    again = await client(path, bob)
    assert await again.receive() == {"error": "There is no such room, or you are not in it."}


@pytest.mark.parametrize(
    ("frame", "error"),
    [
        ("{}", 'A frame holds a "message".'),
        ("[]", "Expected `object`, got `array`"),
        ('"hi"', "Expected `object`, got `str`"),
        ('{"message": 7}', "Expected `str`, got `int`"),
        ('{"message": null}', "Expected `str`, got `null`"),
        ('{"token": 7}', "Expected `str`, got `int`"),
        (json.dumps({"message": "x" * 4001}), "between 1 and 4,000"),
        ('{"message": "nul\\u0000"}', "between 1 and 4,000"),
        ('{"message": "half \\ud83d"}', "half of a surrogate pair"),
    ],
)
@pytest.mark.parametrize("path", ALL.values(), ids=ALL)
async def test_an_invalid_frame_is_refused_and_the_socket_stays_open(client, alice, path, frame, error):
    hers = await client(path, alice)
    await hers.socket.send(frame)
    refused = await hers.receive()
    assert error in refused["error"]
    assert refused.keys() == {"error"}
    await hers.send(message="valid")
    assert await hers.receive() == message_frame(path, "Alice Lind", "valid")


@pytest.mark.parametrize("text", ["no json", '{"message":"x"', "NaN"])
async def test_a_frame_that_is_not_json_closes_the_socket(client, alice, text):
    hers = await client(GUIDE, alice)
    await hers.socket.send(text)
    assert await hers.receive() == {"error": "The frame is no JSON object."}
    assert await hers.wait_closed() == 4400


async def test_a_client_that_answers_no_pings_receives_no_ping_frames_and_stays_connected(client, alice):
    hers = await client(RELAY, alice)
    await hers.send(message="before")
    await hers.receive()
    (socket,) = shared_process(ChatApplication).hub.users.sockets_of(alice.pk)
    for _ in range(4):
        socket.send_ping()
    await hers.send(message="after")
    assert (await hers.receive())["message"] == "after"
