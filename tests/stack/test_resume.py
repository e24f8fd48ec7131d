"""The tutorial with the README's change loses nothing and doubles nothing: real servers, Redis and Chromium."""

import asyncio
import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from playwright.sync_api import Page, expect
from websockets.asyncio.client import ClientConnection, connect

from tests.browser.window import chromium
from tests.stack import resumable_tutorial
from tests.stack.guest import GuestProject, Program

MOST_LINES = 5  # of the consumer, and of the page


@pytest.fixture
def project(tmp_path: Path) -> Iterator[GuestProject]:
    made = resumable_tutorial.make_project(tmp_path / "tutorial")
    made.start_redis()
    yield made
    made.stop()


# --- The change


def test_the_change_of_the_readme_is_at_most_five_lines_of_the_consumer_and_five_of_the_page(tmp_path):
    shutil.copytree(resumable_tutorial.TUTORIAL, tmp_path / "tutorial")
    counts = resumable_tutorial.apply_diff(tmp_path / "tutorial")
    assert counts.keys() == {"chat/consumers.py", "chat/templates/chat/room.html"}
    assert all(0 < count <= MOST_LINES for count in counts.values()), counts


# --- In Chromium


class RoomPage:
    """A page of the tutorial's room."""

    def __init__(self, page: Page, server: Program) -> None:
        self.page = page
        page.goto(f"http://localhost:{server.address[1]}/chat/lobby/")
        page.wait_for_function("chatSocket.readyState === WebSocket.OPEN")

    def say(self, text: str) -> None:
        self.page.fill("#chat-message-input", text)
        self.page.click("#chat-message-submit")

    def expect_log(self, *lines: str) -> None:
        expect(self.page.locator("#chat-log")).to_have_value("".join(f"{line}\n" for line in lines), timeout=20_000)


def test_no_message_is_lost_or_doubled_while_servers_and_redis_are_killed(project: GuestProject):
    redis, first, second = project.programs[0], project.serve(), project.serve()
    with chromium() as browser:
        alice, bob = RoomPage(browser.new_page(), first), RoomPage(browser.new_page(), second)
        alice.say("one")
        bob.expect_log("one")

        second.kill()  # bob is offline
        alice.say("two")
        alice.say("three")
        alice.expect_log("one", "two", "three")
        second.start()
        bob.expect_log("one", "two", "three")

        first.kill()  # alice is offline, and sends
        alice.say("four")
        bob.say("five")
        bob.expect_log("one", "two", "three", "five")
        first.start()
        lines = ["one", "two", "three", "five", "four"]
        alice.expect_log(*lines)
        bob.expect_log(*lines)

        redis.kill()
        alice.say("six")
        bob.expect_log(*lines, "six")  # from the database
        redis.start()
        bob.say("seven")
        alice.expect_log(*lines, "six", "seven")

        # A server is killed in the middle of a burst.
        alice.page.evaluate("for (let n = 0; n < 300; n++) chatSocket.send(JSON.stringify({message: `burst ${n}`}))")
        bob.page.wait_for_function("document.querySelector('#chat-log').value.includes('burst 20\\n')")
        first.kill()
        first.start()
        everything = [*lines, "six", "seven", *(f"burst {n}" for n in range(300))]
        alice.expect_log(*everything)
        bob.expect_log(*everything)


# --- On the wire


class Client:
    """Speaks as resumable-socket.js does."""

    def __init__(self, connection: ClientConnection) -> None:
        self.connection = connection

    @classmethod
    async def open(cls, server: Program, positions: dict[str, Any] | None = None, room: str = "lobby") -> "Client":
        query = f"?resume={quote(json.dumps(positions or {}))}"
        url = f"ws://localhost:{server.address[1]}/ws/chat/{room}/{query}"
        return cls(await connect(url, origin=f"http://localhost:{server.address[1]}"))

    async def receive(self) -> dict[str, Any]:
        async with asyncio.timeout(10):
            return json.loads(await self.connection.recv())

    async def say(self, identifier: str, text: str) -> None:
        frame = {"id": identifier, "text": json.dumps({"message": text})}
        await self.connection.send(json.dumps(frame))
        while (await self.receive()).get("ack") != identifier:
            pass


def messages(frame: dict[str, Any]) -> list[str]:
    return [json.loads(text)["message"] for text in frame["texts"]]


async def test_a_message_that_is_sent_again_by_another_server_is_stored_once(project: GuestProject):
    first, second = project.serve(), project.serve()
    hers = await Client.open(first)
    assert (await hers.receive())["seq"] == 0
    await hers.say("a", "once")
    await hers.connection.close()
    again = await Client.open(second, {"chat_lobby": ["", 0]})
    assert (await again.receive())["seq"] == 0
    assert messages(await again.receive()) == ["once"]
    await again.say("a", "once")  # she had not received the acknowledgement
    await again.say("b", "twice")
    late = await Client.open(first, {"chat_lobby": ["", 0]})
    await late.receive()
    assert [messages(await late.receive()) for _ in range(2)] == [["once"], ["twice"]]


async def test_messages_of_two_servers_have_one_order(project: GuestProject):
    servers = [project.serve(), project.serve()]
    readers = [await Client.open(server) for server in servers]
    writers = [await Client.open(server, room="lobby") for server in servers]

    async def write(writer: Client, name: str) -> None:
        for number in range(25):
            await writer.say(f"{name}{number}", f"{name} {number}")

    await asyncio.gather(*(write(writer, name) for writer, name in zip(writers, "ab", strict=True)))
    received = []
    for reader in readers:
        frames = [frame for frame in [await reader.receive() for _ in range(51)] if "texts" in frame]
        assert [frame["seq"] for frame in frames] == list(range(1, 51))
        received.append([messages(frame) for frame in frames])
    assert received[0] == received[1]


async def test_a_client_that_missed_more_than_is_stored_is_told_how_much(project: GuestProject):
    settings = project.folder / "guest_settings.py"
    settings.write_text(settings.read_text() + 'CHANNELS_REALTIME = {"MAX_STORED_EVENTS": 10}\n')
    server = project.serve()
    hers = await Client.open(server)
    for number in range(100):
        await hers.say(str(number), f"n {number}")
    late = await Client.open(server, {"chat_lobby": ["", 3]})
    position = await late.receive()
    assert (position["seq"], position["missed"]) == (90, 87)
    assert messages(await late.receive()) == ["n 90"]
    other = await Client.open(server, {"chat_lobby": ["another epoch", 3]})
    position = await other.receive()
    assert (position["seq"], position["missed"]) == (100, None)


async def test_a_page_with_a_plain_websocket_works_as_before(project: GuestProject):
    server = project.serve()
    plain = await connect(
        f"ws://localhost:{server.address[1]}/ws/chat/lobby/", origin=f"http://localhost:{server.address[1]}"
    )
    await plain.send(json.dumps({"message": "plain"}))
    async with asyncio.timeout(10):
        assert json.loads(await plain.recv()) == {"message": "plain"}


async def test_an_event_that_another_process_publishes_reaches_the_clients(project: GuestProject):
    server = project.serve()
    hers = await Client.open(server)
    await hers.receive()
    publish = (
        "from channels_realtime.stored_events import publish_event;"
        "publish_event('chat_lobby', {'type': 'chat.message', 'message': 'from a shell'})"
    )
    await asyncio.to_thread(project.manage, "shell", "-c", publish)
    assert messages(await hers.receive()) == ["from a shell"]


async def test_a_malformed_frame_closes_the_connection_with_4400(project: GuestProject):
    server = project.serve()
    for text in (
        "x",
        "[]",
        "{}",
        '{"id": "a"}',
        "1",
        '{"id": 1, "text": "a"}',
        '{"id": "", "text": "a"}',
        "[" * 100_000,
    ):
        hers = await Client.open(server)
        await hers.connection.send(text)
        async with asyncio.timeout(10):
            await hers.connection.wait_closed()
        assert hers.connection.close_code == 4400


async def test_malformed_positions_are_no_positions(project: GuestProject):
    server = project.serve()
    for positions in (
        [],
        1,
        {"chat_lobby": 1},
        {"chat_lobby": ["e", "x"]},
        {"chat_lobby": ["", 10**400]},
        {"x": [[], []]},
    ):
        hers = await Client.open(server, positions)
        assert (await hers.receive())["seq"] == 0


async def test_a_ping_is_answered(project: GuestProject):
    hers = await Client.open(project.serve())
    await hers.receive()
    await hers.connection.send('{"ping": 1}')
    assert await hers.receive() == {"pong": 1}


async def test_a_message_at_which_the_consumer_fails_is_reported_before_the_close(project: GuestProject):
    hers = await Client.open(project.serve())
    await hers.receive()
    await hers.connection.send(json.dumps({"id": "a", "text": "no JSON"}))
    assert await hers.receive() == {"failed": "a"}
    async with asyncio.timeout(10):
        await hers.connection.wait_closed()
    assert hers.connection.close_code == 1011


async def test_a_consumer_with_a_history_gives_a_new_client_the_newest_events(project: GuestProject):
    consumers = project.folder / "chat" / "consumers.py"
    line = "class ChatConsumer(ResumableConsumer):\n"
    consumers.write_text(consumers.read_text().replace(line, f"{line}    history = 2\n"))
    server = project.serve()
    hers = await Client.open(server)
    for text in ("one", "two", "three"):
        await hers.say(text, text)
    late = await Client.open(server)
    assert (await late.receive())["seq"] == 1
    assert [messages(await late.receive()) for _ in range(2)] == [["two"], ["three"]]


async def test_with_the_core_layer_of_the_tutorial_nothing_is_lost_either(project: GuestProject):
    """That layer closes every socket when Redis restarts; the clients come back."""
    settings = project.folder / "guest_settings.py"
    host = f'{{"address": "{project.redis_url}", "socket_timeout": None}}'
    layer = f'{{"BACKEND": "channels_redis.core.RedisChannelLayer", "CONFIG": {{"hosts": [{host}]}}}}'
    settings.write_text(settings.read_text() + f'CHANNEL_LAYERS = {{"default": {layer}}}\n')
    redis, servers = project.programs[0], [project.serve(), project.serve()]
    hers, his = [await Client.open(server) for server in servers]
    await his.receive()
    await hers.say("a", "before")
    assert messages(await his.receive()) == ["before"]
    redis.kill()
    async with asyncio.timeout(10):
        await his.connection.wait_closed()
    redis.start()
    hers = await Client.open(servers[0], {"chat_lobby": ["", 1]})
    await hers.say("b", "after")
    his = await Client.open(servers[1], {"chat_lobby": ["", 1]})
    await his.receive()
    assert messages(await his.receive()) == ["after"]
    await hers.say("c", "and live")
    assert messages(await his.receive()) == ["and live"]
