"""The dialects of Node relay, Angular guide and pt-BR chat, frame by frame."""

import asyncio
import json
from uuid import uuid4

import pytest
from asgiref.sync import sync_to_async

from chat import limits
from chat.models import Message, Room
from chat.services import integrations, members, messages, rooms
from chat.ws.application import ChatApplication
from chat.ws.compat.consumer import CompatConsumer
from chat.ws.consumer import ChatConsumer
from realtime import frames
from realtime.process import shared_process
from tests import inside
from tests.signed_in import session_of
from tests.tab import Closed
from tests.tokens import FORGERIES, forge, tokens_of

RELAY, GUIDE, PT_BR = "/ws/chat/", "/ws/chat/harbour/", "/ws/chat/harbour"
ALL = {"relay": RELAY, "guide": GUIDE, "pt-BR": PT_BR}


class Client:
    """What a client says and reads."""

    def __init__(self, socket):
        self.socket = socket

    async def says(self, **frame):
        await self.socket.send(json.dumps(frame))

    async def reads(self):
        async with asyncio.timeout(20):
            return json.loads(await self.socket.receive())

    async def ended(self):
        with pytest.raises(Closed) as closed:
            await self.reads()
        return closed.value.code


@pytest.fixture
async def client(tab):
    """`await client(RELAY, alice)`: hers, signed in by cookie; without both, a stranger's."""
    opened = []

    async def come(path, user=None, token="", **options):
        cookie = await sync_to_async(session_of)(user) if user else ""
        options |= {"authorization": f"Bearer {token}"} if token else {}
        opened.append(await inside.Inside.open(cookie=cookie, path=path, subprotocols=(), **options))
        return Client(opened[-1])

    yield come
    for socket in opened:
        await socket.close()


@sync_to_async
def post(slug, author, *bodies):
    rooms.join_room(slug=slug, user=author)
    return [messages.post_message(room=slug, author=author, body=one, cid=uuid4()).message for one in bodies]


def said(path, name, words):
    if path == GUIDE:
        return {"message": json.dumps({"text": words, "username": name}, separators=(",", ":"))}
    return {"message": words, ("user_name" if path == RELAY else "remetente"): name}


@pytest.mark.parametrize("path", ALL.values(), ids=ALL)
async def test_a_message_that_is_posted_during_a_join_arrives(client, monkeypatch, alice, bob, path):
    async def enter(consumer, slug):
        stream = await ChatConsumer.enter_room(consumer, slug)
        await post(slug, bob, "She is in")  # the room shows her as a member, and she does not listen yet
        return stream

    monkeypatch.setattr(CompatConsumer, "enter_room", enter)
    await post("lobby" if path == RELAY else "harbour", bob, "Before")
    hers = await client(path, alice)
    if path == RELAY:
        assert await hers.reads() == said(path, "bob", "Before")
    assert await hers.reads() == said(path, "bob", "She is in")


@pytest.mark.parametrize("path", ALL.values(), ids=ALL)
async def test_who_speaks_is_who_is_signed_in(client, tab, alice, mallory, path):
    hers, theirs = await client(path, alice), await client(path, mallory)
    async with tab(mallory, "lobby" if path == RELAY else "harbour") as today:
        await hers.says(message="I am in")
        assert await hers.reads() == said(path, "Alice Lind", "I am in")
        await today.hears("lobby" if path == RELAY else "harbour", "I am in")
        await theirs.says(message="hi", user_name="alice", username="alice", remetente="alice", user=alice.pk)
        assert await hers.reads() == said(path, "mallory", "hi")


@pytest.mark.parametrize("path", ALL.values(), ids=ALL)
async def test_only_new_words_are_heard(client, tab, alice, bob, path):
    slug = "lobby" if path == RELAY else "harbour"
    hers = await client(path, alice)
    await hers.says(message="first")
    await hers.reads()
    async with tab(bob, slug) as his:
        sent = (await his.post(slug, "frist"))["message"]
        await his.ask("typing", room=slug, on=True)
        edited = (await his.ask("edit", message=sent["id"], body="second", rev=sent["rev"]))["message"]
        await his.ask("delete", message=edited["id"])
        await his.post(slug, "third")
    assert [await hers.reads() for _ in range(2)] == [said(path, "bob", words) for words in ("frist", "third")]


@pytest.mark.parametrize("path", [GUIDE, PT_BR])
async def test_what_was_said_before_is_not_told(client, alice, bob, path):
    await post("harbour", bob, "before")
    hers = await client(path, alice)
    await hers.says(message="now")
    assert await hers.reads() == said(path, "Alice Lind", "now")


async def test_the_relay_tells_all_that_is_kept_as_it_stands_now_and_then_what_follows(client, alice, bob):
    count = 2 * limits.PAGE + 7
    sent = await post("lobby", bob, *map(str, range(count)))
    await sync_to_async(messages.edit_message)(message=sent[3].pk, author=bob, body="three", rev=sent[3].rev)
    for gone in sent[: limits.PAGE + 1]:  # a page of tombstones, and more
        if gone != sent[3]:
            await sync_to_async(messages.delete_message)(message=gone.pk, user=bob)
    for number in range(limits.RESUME + 5):  # many changes since the last word
        await sync_to_async([rooms.leave_room, rooms.join_room][number % 2])(slug="lobby", user=bob)
    hers = await client(RELAY, alice)
    told = [(await hers.reads())["message"] for _ in range(count - limits.PAGE)]
    assert told == ["three", *map(str, range(limits.PAGE + 1, count))]
    await post("lobby", bob, "and now this")
    assert await hers.reads() == {"user_name": "bob", "message": "and now this"}


async def test_the_relay_tells_only_what_the_room_keeps(client, alice, bob):
    await post("lobby", bob, "one")
    await Room.objects.filter(slug="lobby").aupdate(max_messages=2)
    await post("lobby", bob, "two", "three")
    hers = await client(RELAY, alice)
    assert [(await hers.reads())["message"] for _ in range(2)] == ["two", "three"]
    assert await Message.objects.acount() == 2


async def test_a_slow_reader_of_a_long_history_is_waited_for(client, alice, bob, monkeypatch):
    monkeypatch.setattr(frames, "MAX_PENDING_BYTES", 6_000)  # bytes: a page is longer than that
    pages = 3
    await post("lobby", bob, *("x" * 40 for _ in range(pages * limits.PAGE)))
    hers = await client(RELAY, alice)
    for _ in range(pages * limits.PAGE):
        assert (await hers.reads())["message"] == "x" * 40


async def test_the_name_that_an_integration_gives_is_the_author(client, alice):
    bot, _ = await sync_to_async(integrations.create_integration)(name="Bridge", rooms=["lobby"])
    await sync_to_async(messages.post_message)(room="lobby", author=bot.bot, body="hi", cid=uuid4(), alias="Kai")
    hers = await client(RELAY, alice)
    assert await hers.reads() == {"user_name": "Kai", "message": "hi"}


@pytest.mark.parametrize("path", ALL.values(), ids=ALL)
async def test_blank_words_are_as_if_nothing_had_been_said(client, alice, path):
    hers = await client(path, alice)
    for blank in ("", " ", "\n\t\u3000"):
        await hers.says(message=blank)
    await hers.says(message="words")
    assert await hers.reads() == said(path, "Alice Lind", "words")


@pytest.mark.parametrize("path", ALL.values(), ids=ALL)
async def test_a_token_comes_in_a_first_frame_and_is_renewed_by_another(client, alice, mallory, path):
    token = (await sync_to_async(tokens_of)(alice)).access
    hers = await client(path)
    await hers.says(message="too early")
    assert await hers.reads() == {"error": "Send hello first."}
    await hers.says(token=token)
    await hers.says(token=token)
    await hers.says(message="hi")
    assert await hers.reads() == said(path, "Alice Lind", "hi")
    await hers.says(token=(await sync_to_async(tokens_of)(mallory)).access)
    assert await hers.reads() == {"error": "The access token is not valid."}
    assert await hers.ended() == 4401


@pytest.mark.parametrize("forgery", FORGERIES)
async def test_a_forged_token_is_4401(client, alice, mallory, forgery):
    forged = forge(forgery, await sync_to_async(tokens_of)(mallory), alice)
    for options in ({"token": forged, "origin": None}, {}):
        visit = await client(GUIDE, **options)
        if not options:
            await visit.says(token=forged)
        assert await visit.reads() == {"error": "The access token is not valid."}
        assert await visit.ended() == 4401


async def test_the_end_of_a_token_is_announced(client, alice, monkeypatch):
    monkeypatch.setattr(limits, "EXPIRY_NOTICE_SECONDS", 60 * 60)
    hers = await client(GUIDE, token=(await sync_to_async(tokens_of)(alice)).access, origin=None)
    assert 0 < (await hers.reads())["auth_expiring"] <= 15 * 60


@pytest.mark.parametrize("slug", ["secret", "direct", "nowhere"])
async def test_a_hidden_room_is_for_those_who_are_in_it(client, secret, alice, bob, mallory, slug):
    pair = await sync_to_async(rooms.open_direct_room)(me=alice, other=bob)
    path = "/ws/chat/" + {"secret": secret.slug, "direct": pair.slug, "nowhere": "~AAAAAAAAAAAAAAAA"}[slug]
    theirs = await client(path, mallory)
    assert await theirs.reads() == {"error": "There is no such room, or you are not in it."}
    await theirs.says(message="hi")
    assert await theirs.reads() == {"error": "There is no such room, or you are not in it."}
    if slug != "nowhere":
        hers = await client(path, alice)
        await hers.says(message="psst")
        assert await hers.reads() == {"message": "psst", "remetente": "Alice Lind"}
    assert await Message.objects.filter(author=mallory).acount() == 0


@pytest.mark.parametrize("path", ALL.values(), ids=ALL)
async def test_a_removed_member_is_notified_and_receives_nothing_more(client, alice, bob, path):
    slug = "lobby" if path == RELAY else "harbour"
    await sync_to_async(rooms.join_room)(slug=slug, user=alice)
    his = await client(path, bob)
    await his.says(message="hello")
    await his.reads()
    await sync_to_async(members.remove_member)(slug=slug, by=alice, user=bob.pk, ban=True)
    assert await his.reads() == {"error": "You are no longer in this room."}
    await his.says(message="still?")
    assert await his.reads() == {"error": "There is no such room, or you are not in it."}
    again = await client(path, bob)
    assert await again.reads() == {"error": "There is no such room, or you are not in it."}


@pytest.mark.parametrize(
    ("frame", "told"),
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
async def test_what_makes_no_sense_is_refused_and_the_socket_stays(client, alice, path, frame, told):
    hers = await client(path, alice)
    await hers.socket.send(frame)
    refused = await hers.reads()
    assert told in refused["error"]
    assert refused.keys() == {"error"}
    await hers.says(message="sense")
    assert await hers.reads() == said(path, "Alice Lind", "sense")


@pytest.mark.parametrize("text", ["no json", '{"message":"x"', "NaN"])
async def test_what_is_no_json_ends_it(client, alice, text):
    hers = await client(GUIDE, alice)
    await hers.socket.send(text)
    assert await hers.reads() == {"error": "The frame is no JSON object."}
    assert await hers.ended() == 4400


async def test_a_long_silence_is_no_frame_and_no_end(client, alice):
    hers = await client(RELAY, alice)
    await hers.says(message="before")
    await hers.reads()
    (socket,) = shared_process(ChatApplication).hub.users.sockets_of(alice.pk)
    for _ in range(4):
        socket.send_ping()
    await hers.says(message="after")
    assert (await hers.reads())["message"] == "after"
