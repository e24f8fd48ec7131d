"""Members that stay connected: each reconnects as the browser does, resumes, and repeats unacknowledged messages."""

import asyncio
import random
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Self
from uuid import uuid4

from websockets.exceptions import InvalidHandshake

from tests.acceptance.site import Site
from tests.chat_client import ChatClient, Closed, Refused, Room

HANDSHAKES_A_SECOND = 18  # less than nginx allows one address on average (nginx/snippets/limits.conf)
FIRST, LONGEST = 0.5, 30.0  # seconds, of app/chat/static/chat/backoff.js
RETRY_ERRORS = (OSError, EOFError, TimeoutError, InvalidHandshake, Closed)


class Member:
    """One socket in one room while the `async with` lasts."""

    def __init__(self, site: Site, cookie: str, room: str) -> None:
        self.site, self.cookie, self.room = site, cookie, room
        self.known: dict[str, Room] = {}
        self.online = asyncio.Event()
        self.away: list[float] = []  # seconds from each loss of the socket until it had caught up
        self.returned: list[float] = []  # time.monotonic() of each return
        self.refusals: list[Refused] = []
        self.client: ChatClient

    async def __aenter__(self) -> Self:
        self.life = asyncio.ensure_future(self._live())
        return self

    async def __aexit__(self, *error: object) -> None:
        self.life.cancel()
        await asyncio.gather(self.life, return_exceptions=True)

    @property
    def posts(self) -> list[str]:
        return [post["body"] for post in self.known[self.room].posts]

    async def post(self, body: str) -> None:
        """Send a message, again where necessary, and return when it is acknowledged."""
        cid = str(uuid4())
        while True:
            await self.online.wait()
            try:
                await self.client.post(self.room, body, cid=cid)
            except Closed:
                await asyncio.sleep(0.05)  # _live reconnects
            except Refused as refused:
                self.refusals.append(refused)
                await asyncio.sleep(1)  # as the outbox does after a refusal that is not final
            else:
                return

    async def _live(self) -> None:
        lost, attempt = 0.0, 0
        while True:
            wait = FIRST
            try:
                async with ChatClient(await self.site.wss(cookies={"sessionid": self.cookie})) as client:  # type: ignore[arg-type]
                    client.rooms = self.known
                    await client.join(self.room, resume=True, limit=0 if not self.known else 50)
                    self.client, attempt = client, 0
                    self.online.set()
                    if lost:
                        self.away.append(time.monotonic() - lost)
                        self.returned.append(time.monotonic())
                    await asyncio.wait({client._reader})
                    self.online.clear()
                    lost = time.monotonic()
                    bye = client.frames[-1] if client.frames else {}
                    wait = bye["reconnect_in"] if bye.get("type") == "bye" else self._backoff(attempt)
                    client.frames.clear()
            except RETRY_ERRORS:
                wait = self._backoff(attempt)
            except Refused as refused:  # the join, while the database is away
                self.refusals.append(refused)
                wait = self._backoff(attempt)
            finally:
                self.online.clear()
            attempt += 1
            await asyncio.sleep(wait)

    @staticmethod
    def _backoff(attempt: int) -> float:
        return float(min(LONGEST, FIRST * 2**attempt) * (0.5 + random.random() / 2))

    def check(self) -> None:
        """Raise the error that ended this member, if there is one."""
        if self.life.done():
            self.life.result()


@asynccontextmanager
async def crowd(site: Site, cookies: Sequence[str], room: str, size: int) -> AsyncIterator[list[Member]]:
    """Connect `size` members; all of them are in the room when the body runs."""
    members = [Member(site, cookies[number % len(cookies)], room) for number in range(size)]
    try:
        for member in members:
            await member.__aenter__()
            await asyncio.sleep(1 / HANDSHAKES_A_SECOND)
        async with asyncio.timeout(120):
            await asyncio.gather(*(member.online.wait() for member in members))
        yield members
        for member in members:
            member.check()
    finally:
        await asyncio.gather(*(member.__aexit__() for member in members))


class Talk:
    """Sends `rate` messages per second from random members while the `async with` lasts."""

    def __init__(self, members: Sequence[Member], rate: float) -> None:
        self.members, self.rate = members, rate
        self.acked: list[str] = []
        self.slowest = 0.0  # seconds until an ack
        self.pending: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> Self:
        self.pump = asyncio.ensure_future(self._talk())
        return self

    async def __aexit__(self, *error: object) -> None:
        self.pump.cancel()
        await asyncio.gather(self.pump, return_exceptions=True)
        if error[1] is None:
            async with asyncio.timeout(60):
                await asyncio.gather(*self.pending)
        for task in self.pending:
            task.cancel()

    async def _talk(self) -> None:
        number, began = 0, time.monotonic()
        while True:
            member = random.choice(self.members)
            task = asyncio.ensure_future(self._one(member, f"{number} {uuid4()}"))
            self.pending.add(task)
            number += 1
            await asyncio.sleep(max(0.0, began + number / self.rate - time.monotonic()))

    async def _one(self, member: Member, body: str) -> None:
        began = time.monotonic()
        await member.post(body)
        self.acked.append(body)
        self.slowest = max(self.slowest, time.monotonic() - began)

    async def acks(self, count: int) -> None:
        """Wait for `count` more acknowledgements."""
        goal = len(self.acked) + count
        while len(self.acked) < goal:
            await asyncio.sleep(0.05)


async def assert_all_received(members: Sequence[Member], acked: Sequence[str], timeout_seconds: float = 30) -> None:
    """Assert that every member gets each acknowledged message once, and nothing else."""
    try:
        async with asyncio.timeout(timeout_seconds):
            while any(len(member.posts) < len(acked) for member in members):
                await asyncio.sleep(0.1)
    except TimeoutError:
        pass  # the assertions below name what is missing
    for member in members:
        member.check()
        missing = set(acked) - set(member.posts)
        assert not missing, f"{len(missing)} of {len(acked)} lost"
        assert len(member.posts) == len(set(member.posts)), "a message was delivered twice"
        assert set(member.posts) == set(acked), "a message was delivered and never acknowledged"
