"""The first frame on a socket, and the addresses of sockets."""

import pytest

from channels_realtime.process import PING_INTERVAL_SECONDS
from chat import limits
from tests import asgi_transport
from tests.chat_client import ChatClient, Closed, Refused


@pytest.fixture
def visitor(connect):
    """A socket that has not sent hello yet."""

    async def opened(user=None, **options):
        visit = await asgi_transport.new_client(user, **options)
        await visit.open()
        return visit

    return opened


async def leave(visit):
    await visit.__aexit__(None, None, None)


async def test_welcome_has_the_user_and_the_limits(connect, alice):
    async with connect(alice) as hers:
        assert hers.welcome["user"] == {"id": alice.pk, "name": "Alice Lind", "guest": False}
        assert hers.welcome["ping"] == PING_INTERVAL_SECONDS
        assert hers.welcome["limits"] == {"body": 4000, "frame": 65536, "page": 100, "resume": 300, "rooms": 128}
        async with connect(alice) as another:
            assert another.welcome["connection"] != hers.welcome["connection"]


async def test_a_socket_without_hello_is_closed_with_4408(visitor, alice, monkeypatch):
    monkeypatch.setattr(limits, "HELLO_SECONDS", 0.01)
    visit = await visitor(alice)
    assert await visit.wait_closed() == 4408
    reason = "The client did not send hello in time."
    assert visit.frames == [{"type": "bye", "code": 4408, "reason": reason, "reconnect_in": None}]
    await leave(visit)


async def test_after_hello_there_is_no_timeout(visitor, alice, bob, monkeypatch):
    monkeypatch.setattr(limits, "HELLO_SECONDS", 0.05)
    greeted = await visitor(alice)
    await greeted.request("hello")
    silent = await visitor(bob)  # its timeout is later than that of the socket that sent hello
    assert await silent.wait_closed() == 4408
    assert (await greeted.join("harbour"))["members"] == 1
    await leave(greeted)
    await leave(silent)


@pytest.mark.parametrize("cookie", ["", "nosuchsession", "x" * 4000, '";\\'])
async def test_without_a_session_it_is_closed_with_4401(connect, transactional_db, cookie):
    visit = ChatClient(await asgi_transport.AsgiTransport.open(cookie=cookie), timeout_seconds=10)
    await visit.open()
    with pytest.raises(Closed):
        await visit.request("hello")
    assert visit.closed.code == 4401
    assert visit.frames[-1]["reconnect_in"] is None
    await leave(visit)


async def test_commands_before_hello_are_refused_and_the_socket_stays(visitor, room, alice):
    visit = await visitor(alice)
    for command in (
        {"type": "join", "room": "harbour"},
        {"type": "history", "room": "harbour"},
        {"type": "leave", "room": "harbour"},
        {"type": "read", "room": "harbour", "seq": 1},
    ):
        with pytest.raises(Refused) as refused:
            await visit.request(**command)
        assert refused.value.code == "hello_first"
    await visit.request("hello")
    await visit.join("harbour")
    await leave(visit)


async def test_a_second_hello_is_refused_and_changes_nothing(connect, room, alice):
    async with connect(alice, "harbour") as hers:
        with pytest.raises(Refused) as refused:
            await hers.request("hello")
        assert refused.value.code == "invalid"
        await hers.post("harbour", "still me")
        await hers.wait_for_message("harbour", "still me")


async def test_a_deactivated_user_cannot_connect(visitor, alice):
    alice.is_active = False
    await alice.asave()
    visit = await visitor(alice)
    with pytest.raises(Closed, match="4401"):
        await visit.request("hello")
    await leave(visit)


async def test_the_address_without_a_room_joins_the_default_room(visitor, bob):
    visit = await visitor(bob, path="/ws/chat/")
    await visit.request("hello")
    assert (await visit.wait_for_frame("joined"))["room"] == "lobby"
    await leave(visit)


@pytest.mark.parametrize("path", ["/ws/chat/quay/", "/ws/chat/quay"])
async def test_the_rooms_own_address_joins_it_after_hello(visitor, bob, path):
    visit = await visitor(bob, path=path)
    number = await visit.send_command("hello")
    joined = await visit.wait_for_frame("joined")
    assert (joined["room"], joined["id"], joined["members"]) == ("quay", number, 1)
    assert [frame["type"] for frame in visit.frames] == ["welcome", "joined"]
    await visit.post("quay", "hi")
    await visit.wait_for_message("quay", "hi")
    assert (await visit.join("harbour"))["room"] == "harbour"
    await leave(visit)


@pytest.mark.parametrize(
    ("slug", "code"), [("~AAAAAAAAAAAAAAAA", "not_found"), ("-", "bad_name"), ("x" * 65, "bad_name")]
)
async def test_the_address_of_an_absent_room_is_refused_after_welcome(visitor, bob, slug, code):
    visit = await visitor(bob, path=f"/ws/chat/{slug}/")
    await visit.request("hello")
    assert (await visit.wait_for_frame("error"))["code"] == code
    await visit.join("harbour")
    await leave(visit)


@pytest.mark.parametrize("path", ["/", "/ws", "/ws/nowhere/", "/ws/chat/a/b/", "/wss/", "/api/rooms/"])
async def test_an_unknown_address_is_closed_with_4400(visitor, alice, path):
    visit = await visitor(alice, path=path)
    assert await visit.wait_closed() == 4400
    (bye,) = visit.frames
    assert ("no socket at this address" in bye["reason"], bye["reconnect_in"]) == (True, None)
    await leave(visit)


@pytest.mark.parametrize("offered", [(), ("parley.v2",), ("graphql-ws", "PARLEY.V1")])
async def test_without_the_subprotocol_the_socket_is_closed_with_4400(visitor, alice, offered):
    visit = await visitor(alice, subprotocols=offered)
    assert await visit.wait_closed() == 4400
    assert "parley.v1" in visit.frames[0]["reason"]
    await leave(visit)


async def test_the_subprotocol_may_be_offered_among_others(visitor, alice):
    visit = await visitor(alice, subprotocols=("parley.v9", "parley.v1"))
    await visit.request("hello")
    await leave(visit)


@pytest.mark.parametrize("origin", ["https://evil.example", "null", None, "https://localhost.evil.example"])
async def test_a_page_of_another_site_cannot_open_a_socket_with_my_cookie(visitor, alice, origin, caplog):
    with pytest.raises(Closed):
        await visitor(alice, origin=origin)
    assert "Socket refused: " in caplog.text
