"""The frames of the clients of JWT + React chat: what they may send, and what they receive."""

import json
from uuid import uuid4

import pytest
from asgiref.sync import sync_to_async

from channels_realtime.process import shared_process
from chat import limits
from chat.models import Message
from chat.services import messages, rooms
from chat.ws.application import ChatApplication
from tests import asgi_transport
from tests.chat_client import Closed
from tests.signed_in import session_of
from tests.tokens import FORGERIES, forge, tokens_of


@pytest.fixture
async def chat(alice, bob):
    return (await sync_to_async(rooms.open_direct_room)(me=alice, other=bob)).slug


class Client:
    """A client of this chat."""

    def __init__(self, socket):
        self.socket = socket

    async def send(self, command, **fields):
        await self.socket.send(json.dumps({"command": command, **fields}))

    async def receive(self):
        return json.loads(await self.socket.receive())

    async def receive_error(self):
        """Return the text of the next frame, which must be an error."""
        frame = await self.receive()
        assert frame.keys() == {"command", "error"}
        assert frame["command"] == "error"
        return frame["error"]

    async def wait_closed(self):
        """Return the close code that follows the frames received so far."""
        with pytest.raises(Closed) as closed:
            await self.receive()
        return closed.value.code


@pytest.fixture
async def client(connect, chat):
    """`await client(alice)` connects with her session cookie, `token=` with a header, neither with no credential."""
    opened = []

    async def connect_client(user=None, token="", slug=chat, **options):
        cookie = await sync_to_async(session_of)(user) if user else ""
        options |= {"authorization": f"Bearer {token}"} if token else {}
        path = options.pop("path", f"/ws/chat/{slug}/")
        opened.append(await asgi_transport.AsgiTransport.open(cookie=cookie, path=path, subprotocols=(), **options))
        return Client(opened[-1])

    yield connect_client
    for socket in opened:
        await socket.close()


def post(slug, author, body):
    return messages.post_message(room=slug, author=author, body=body, cid=uuid4()).message


async def test_clients_receive_new_messages_and_no_other_events(client, connect, chat, alice, bob):
    hers = await client(alice)
    await hers.send("fetch_messages")
    assert await hers.receive() == {"command": "messages", "messages": []}
    async with connect(bob, chat) as his:
        sent = (await his.post(chat, "frist"))["message"]
        await his.request("typing", room=chat, on=True)
        edited = (await his.request("edit", message=sent["id"], body="first", rev=sent["rev"]))["message"]
        await his.request("delete", message=edited["id"])
        await his.post(chat, "second")
    assert [(await hers.receive())["message"]["content"] for _ in range(2)] == ["frist", "second"]
    await hers.send("fetch_messages")
    (only,) = (await hers.receive())["messages"]
    assert (only["author"], only["content"]) == ("bob", "second")


async def test_messages_of_its_clients_reach_clients_of_the_current_protocol(client, connect, chat, alice, bob):
    async with connect(bob, chat) as his:
        hers = await client(alice)
        await hers.send("new_message", message=" hi ", **{"from": "bob", "id": 1, "author": "bob", "author_id": bob.pk})
        assert (await his.wait_for_message(chat, "hi"))["author"]["id"] == alice.pk
        assert (await hers.receive())["message"]["author"] == "alice"


async def test_authors_are_usernames_and_not_display_names(client, chat, alice, bob):
    bob.display_name = "alice"  # the client would show his messages as hers
    await bob.asave()
    hers = await client(alice)
    await hers.send("fetch_messages")  # the answer arrives after she has joined
    await hers.receive()
    await sync_to_async(post)(chat, bob, "I am you")
    assert (await hers.receive())["message"]["author"] == "bob"


async def test_fetch_messages_returns_the_newest_fifteen_with_the_newest_first(client, chat, alice, bob):
    for number in range(17):
        await sync_to_async(post)(chat, bob, str(number))
    hers = await client(alice)
    await hers.send("fetch_messages")
    assert [one["content"] for one in (await hers.receive())["messages"]] == [str(n) for n in range(16, 1, -1)]


@pytest.mark.parametrize("slug", ["nowhere", "private", "chat"])
async def test_a_client_cannot_read_or_post_in_a_room_that_its_user_is_not_in(
    client, chat, secret, alice, mallory, slug
):
    target = {"nowhere": "~AAAAAAAAAAAAAAAA", "private": secret.slug, "chat": chat}[slug]
    hers = await client(mallory, slug=target)
    errors = [await hers.receive_error()]
    for command in ({"command": "fetch_messages"}, {"command": "new_message", "message": "hi", "from": "alice"}):
        await hers.send(**command)
        errors.append(await hers.receive_error())
    assert errors == ["There is no such room, or you are not in it."] * 3
    assert not await Message.objects.aexists()


async def test_a_private_room_cannot_be_opened_as_a_chat_of_two(client, secret, alice):
    hers = await client(alice, slug=secret.slug)
    assert "no such room" in await hers.receive_error()


@pytest.mark.parametrize("forgery", FORGERIES)
@pytest.mark.parametrize("way", ["header", "hello", "auth"])
async def test_a_forged_token_closes_the_socket_with_4401(client, alice, mallory, forgery, way):
    hers = await sync_to_async(tokens_of)(mallory)
    forged = forge(forgery, hers, alice)
    if way == "header":
        theirs = await client(token=forged, origin=None)
    else:
        theirs = await client(mallory if way == "auth" else None)
        if way == "auth":
            assert "no such room" in await theirs.receive_error()
        await theirs.send(way, token=forged)
    assert await theirs.receive_error() == "The access token is not valid."
    assert await theirs.wait_closed() == 4401


async def test_a_token_can_be_sent_in_the_first_frame_and_renewed_later(client, chat, alice):
    token = (await sync_to_async(tokens_of)(alice)).access
    hers = await client()
    await hers.send("fetch_messages")
    assert await hers.receive_error() == "Send hello first."
    await hers.send("hello", token=token)
    await hers.send("auth", token=token)
    await hers.send("new_message", message="hi")
    assert (await hers.receive())["message"]["author"] == "alice"


async def test_a_client_is_notified_before_its_token_expires(client, chat, alice, monkeypatch):
    monkeypatch.setattr(limits, "EXPIRY_NOTICE_SECONDS", 60 * 60)
    hers = await client(token=(await sync_to_async(tokens_of)(alice)).access, origin=None)
    frame = await hers.receive()
    assert (frame["command"], 0 < frame["in"] <= 15 * 60) == ("auth_expiring", True)


async def test_a_client_that_does_not_send_hello_in_time_is_closed_with_4408(client, monkeypatch):
    monkeypatch.setattr(limits, "HELLO_SECONDS", 0.01)
    theirs = await client()
    assert await theirs.receive_error() == "The client did not send hello in time."
    assert await theirs.wait_closed() == 4408


@pytest.mark.parametrize(
    ("frame", "error"),
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
async def test_an_invalid_command_is_refused_and_the_socket_stays_open(client, alice, frame, error):
    hers = await client(alice)
    await hers.socket.send(json.dumps(frame))
    assert error in await hers.receive_error()
    await hers.send("fetch_messages")
    assert (await hers.receive())["messages"] == []


@pytest.mark.parametrize("text", ["no json", "[" * 100_000, '{"command":"fetch_messages"', "NaN"])
async def test_a_frame_that_is_not_json_closes_the_socket(client, alice, text):
    hers = await client(alice)
    await hers.socket.send(text)
    code = 1009 if len(text) > limits.FRAME_BYTES else 4400
    assert (await hers.receive_error()) != ""
    assert await hers.wait_closed() == code


async def test_commands_of_its_clients_are_rate_limited(client, alice, settings):
    settings.SOCKET_RATE, settings.SOCKET_BURST = 0.001, 3
    hers = await client(alice)  # hello counts as the first command
    for _ in range(3):
        await hers.send("fetch_messages")
    assert [(await hers.receive())["command"] for _ in range(2)] == ["messages", "messages"]
    assert await hers.receive_error() == "Too many commands."


async def test_a_client_that_answers_no_pings_stays_connected(client, alice, monkeypatch):
    hers = await client(alice)
    await hers.send("fetch_messages")
    await hers.receive()
    (socket,) = shared_process(ChatApplication).hub.users.sockets_of(alice.pk)
    for _ in range(4):
        socket.send_ping()
        assert await hers.receive() == {"command": "ping"}
    await hers.send("fetch_messages")
    assert (await hers.receive())["command"] == "messages"


async def test_clients_are_notified_when_their_chat_is_ended(client, chat, alice, bob):
    hers, his = await client(alice), await client(bob)
    for either in (hers, his):
        await either.send("fetch_messages")
        await either.receive()
    await sync_to_async(rooms.end_direct_room)(slug=chat, user=alice)
    for either in (hers, his):
        assert await either.receive_error() == "This chat was ended."
        await either.send("new_message", message="still?")
        assert "no such room" in await either.receive_error()


async def test_other_addresses_require_the_subprotocol(client, chat, alice):
    hers = await client(alice, path="/ws/")
    frame = await hers.receive()
    assert (frame["type"], "parley.v1" in frame["reason"]) == ("bye", True)
    assert await hers.wait_closed() == 4400


async def test_a_client_that_offers_another_subprotocol_receives_the_name_of_the_right_one(connect, chat, alice):
    cookie = await sync_to_async(session_of)(alice)
    socket = await asgi_transport.AsgiTransport.open(
        cookie=cookie, path=f"/ws/chat/{chat}/", subprotocols=("graphql-ws",)
    )
    assert "parley.v1" in json.loads(await socket.receive())["reason"]
    await socket.close()


async def test_a_page_of_another_site_cannot_connect_with_a_cookie(client, alice):
    with pytest.raises(Closed):
        await client(alice, origin="https://evil.example")
