"""The supervisor of `make run` ends a server that hangs, and starts it again, as systemd does on a host."""

import asyncio
import os
import signal
import time
from collections.abc import Iterator
from configparser import RawConfigParser
from pathlib import Path
from uuid import uuid4

import pytest

from deploy import render
from deploy.local.layout import Layout
from deploy.local.services import Application, build_services
from deploy.local.watchdog import read_unit_times
from tests.chat_client import ChatClient, Closed
from tests.host.sites import chat
from tests.nginx.served import until
from tests.run.started import Supervised
from tests.run.watched import FEED_INTERVAL_SECONDS, TIMES
from tests.running import Stack

MORE_FEEDS_THAN_A_SILENCE = int(2 * TIMES.silence_seconds / FEED_INTERVAL_SECONDS)


@pytest.fixture
def watched(tmp_path: Path) -> Iterator[Supervised]:
    running = Supervised(tmp_path, module="tests.run.watched")
    try:
        until(lambda: count_feeds(running, "fed") > 1 and count_feeds(running, "stubborn") > 1)
        yield running
    finally:
        if running.process.poll() is None:
            running.process.send_signal(signal.SIGCONT)
            running.end()


def count_feeds(running: Supervised, name: str) -> int:
    file = running.folder / f"{name}.feeds"
    return file.read_text().count("\n") if file.exists() else 0


def await_feeds(running: Supervised, name: str, more: int) -> None:
    wanted = count_feeds(running, name) + more
    until(lambda: count_feeds(running, name) >= wanted)


def await_other_process(running: Supervised, name: str, former: int) -> None:
    until(lambda: (running.folder / f"{name}.pid").exists() and running.pid(name) != former)


def test_a_server_that_hangs_prints_its_stack_and_is_started_again(watched: Supervised) -> None:
    former, others = watched.pid("fed"), [watched.pid("stubborn"), watched.pid("mute")]
    os.kill(former, signal.SIGSTOP)
    await_other_process(watched, "fed", former)
    await_feeds(watched, "fed", 2)
    log = watched.log()
    assert f"fed (pid {former}) has hung for 1.5 s: ending it with SIGABRT" in log
    assert "Fatal Python error: Aborted" in log
    assert "fed was killed (SIGABRT); restarting it now" in log
    assert log.count("has hung for") == 1
    assert [watched.pid("stubborn"), watched.pid("mute")] == others


def test_a_server_that_does_not_end_at_sigabrt_is_killed(watched: Supervised) -> None:
    former = watched.pid("stubborn")
    os.kill(former, signal.SIGSTOP)
    until(lambda: "ending it with SIGABRT" in watched.log())
    await_other_process(watched, "stubborn", former)
    assert "stubborn was killed (SIGKILL); restarting it now" in watched.log()


def test_a_paused_supervisor_ends_no_server_that_goes_on(watched: Supervised) -> None:
    """As after a suspend, in which time passes for the clocks: what counts is the silence while it runs itself."""
    before = [watched.pid(name) for name in ("fed", "stubborn", "mute")]
    watched.process.send_signal(signal.SIGSTOP)
    # The queue of its socket is soon full, which must not block the servers either.
    await_feeds(watched, "fed", MORE_FEEDS_THAN_A_SILENCE)
    watched.process.send_signal(signal.SIGCONT)
    await_feeds(watched, "fed", MORE_FEEDS_THAN_A_SILENCE)
    assert [watched.pid(name) for name in ("fed", "stubborn", "mute")] == before
    assert "hung" not in watched.log()


def test_servers_that_are_paused_together_with_the_supervisor_go_on(watched: Supervised) -> None:
    """As in a machine that is suspended. Another process measures the time meanwhile."""
    names = ("fed", "stubborn")
    before = [watched.pid(name) for name in names]
    for pid in (watched.process.pid, *before):
        os.kill(pid, signal.SIGSTOP)
    ends = time.monotonic() + 2 * TIMES.silence_seconds
    until(lambda: time.monotonic() > ends)
    for pid in (watched.process.pid, *before):
        os.kill(pid, signal.SIGCONT)
    await_feeds(watched, "fed", MORE_FEEDS_THAN_A_SILENCE)
    assert [watched.pid(name) for name in names] == before
    assert "hung" not in watched.log()


def test_a_program_that_never_sent_a_message_is_not_ended(watched: Supervised) -> None:
    before = watched.pid("mute")
    await_feeds(watched, "fed", MORE_FEEDS_THAN_A_SILENCE)
    assert watched.pid("mute") == before
    assert "hung" not in watched.log()


def test_the_times_are_those_of_the_unit_on_a_host() -> None:
    parser = RawConfigParser(strict=False)
    parser.optionxform = str  # type: ignore[assignment,method-assign]
    parser.read_string(render.render_host(chat())["/etc/systemd/system/parley-ws@.service"])
    times = read_unit_times()
    assert times.silence_seconds == int(parser["Service"]["WatchdogSec"])
    assert times.abort_seconds == int(parser["Service"]["TimeoutAbortSec"])


def test_both_websocket_servers_of_a_run_are_watched_and_nothing_else(tmp_path: Path) -> None:
    layout = Layout(tmp_path, tmp_path / ".env", 8443, 8080)
    application = Application("Parley", "python3", tmp_path, {}, "config.wsgi:application", "config.asgi:application")
    watched = {service.name: service.watchdog for service in build_services(layout, application, redis=True)}
    assert {name for name, times in watched.items() if times} == {"ws1", "ws2"}


async def test_clients_of_a_hanging_server_are_back_within_ten_seconds_and_lose_nothing(stack: Stack) -> None:
    room = f"ferry-{uuid4().hex[:6]}"
    ann, *cookies = stack.people("ann", *(f"visitor{number}" for number in range(8)))
    visitors = [await stack.connect(cookie) for cookie in cookies]  # through nginx, to either server
    for visitor in visitors:
        await visitor.__aenter__()
        await visitor.join(room)
    expected = ["before"]
    async with await stack.connect(ann, through="ws2") as author:
        await author.join(room)
        await author.post(room, "before")
        for visitor in visitors:
            await visitor.wait_for_message(room, "before")
        former = stack.pid("ws1")
        os.kill(former, signal.SIGSTOP)
        stopped = time.monotonic()
        keepers = [
            asyncio.ensure_future(keep_connected(stack, *pair, room)) for pair in zip(visitors, cookies, strict=True)
        ]
        while any(visitor.closed is None for visitor in visitors) and f"(pid {former}) has hung" not in stack.log():
            expected.append(f"message {len(expected)}")
            await author.post(room, expected[-1])
            await asyncio.sleep(0.2)
        expected.append("after")
        await author.post(room, "after")
        back = [await keeper for keeper in keepers]
        seconds = time.monotonic() - stopped
        assert [[post["body"] for post in client.rooms[room].posts] for client in back] == [expected] * len(back)
    moved = sum(client is not visitor for client, visitor in zip(back, visitors, strict=True))
    assert moved > 0, "no visitor was connected to the server that hung"
    assert len(expected) > 3, "messages were posted while the server hung"
    assert seconds < 10
    assert f"ws1 (pid {former}) has hung for 5 s: ending it with SIGABRT" in stack.log()
    for client in (*visitors, *back):
        await client.__aexit__(None, None, None)


async def keep_connected(stack: Stack, client: ChatClient, cookie: str, room: str) -> ChatClient:
    """Return the client, or its successor after a reconnect through nginx, as soon as it has the message `after`."""
    while True:
        try:
            await client.wait_for_message(room, "after")
        except Closed:
            known = client.rooms
            client = await reconnect(stack, cookie)
            client.rooms = known
            await client.join(room, resume=True)
        else:
            return client


async def reconnect(stack: Stack, cookie: str) -> ChatClient:
    while True:
        try:
            client = await stack.connect(cookie)
            return await client.__aenter__()
        except (OSError, EOFError, Closed):
            await asyncio.sleep(0.05)
        except Exception as refused:  # websockets.exceptions.InvalidStatus
            if "HTTP 50" not in str(refused):
                raise
            await asyncio.sleep(0.05)
