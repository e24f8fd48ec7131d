"""Two daphne processes, a database and a channel layer in one thread, where nothing happens but what a test says.

Time passes only while everybody waits (tests/clock.py). A query reads or writes at once, where it is asked, and its
answer may be held back. An announcement is on its way between the processes until it is delivered, lost or doubled.
"""

import asyncio
from collections.abc import Coroutine
from contextvars import copy_context
from functools import partial
from typing import Any, TypeVar

import pytest
from asgiref.testing import ApplicationCommunicator
from channels.layers import channel_layers
from django.db import OperationalError, connections

from accounts.models import User
from channels_realtime import consumer as consumer_base
from channels_realtime import session_watch, stream
from channels_realtime.process import Process
from channels_realtime.publisher import publisher
from channels_realtime.rate_limit import TokenBucket
from chat import limits
from chat.ws import application, consumer
from chat.ws.application import ChatApplication
from tests import asgi_transport
from tests.chat_client import ChatClient
from tests.clock import PatientLoop
from tests.realtime.fakes import FakeChannelLayer, Gate

T = TypeVar("T")


class DelayedLayer(FakeChannelLayer):
    """A channel layer whose messages arrive when, and if, the test wants it."""

    def __init__(self) -> None:
        super().__init__()
        self.floating: list[tuple[str, dict[str, Any]]] = []  # channel, message

    async def group_send(self, group: str, message: dict[str, Any]) -> None:
        self._check_reachable()
        self.floating += [(channel, message) for channel in sorted(self.groups.get(group, ()))]

    def arrive(self, place: int) -> None:
        channel, message = self.floating.pop(place)
        self._channels[channel].put_nowait(message)

    def double(self, place: int) -> None:
        channel, message = self.floating[place]
        self._channels[channel].put_nowait(message)

    def lose(self, place: int) -> None:
        self.floating.pop(place)


class World:
    """Open it with the test's MonkeyPatch; close() it."""

    def __init__(self, patch: pytest.MonkeyPatch) -> None:
        self.loop = PatientLoop()
        self.context = copy_context()  # of all queries: Django gives each task's context connections of its own
        self.layer = DelayedLayer()
        self.answers = Gate()  # of the database
        self.database_away = False
        # A communicator that is garbage collected ends its application, whenever that happens to be: keep them all.
        self.communicators: list[ApplicationCommunicator] = []
        self._before = channel_layers.set("default", self.layer)
        publisher._queue, publisher.is_reachable = None, True
        patch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "true")  # no other code needs this thread
        for module in (consumer, application, session_watch):
            patch.setattr(module, "run_query", self.query)
        patch.setattr(consumer_base, "shared_process", lambda _: self.here)
        for module in (consumer, stream):
            patch.setattr(module, "TokenBucket", partial(TokenBucket, clock=self.loop.time))
        patch.setattr(limits, "RESUME", 6)
        self.processes = self.run(self._processes())
        self.here = self.processes[0]

    async def _processes(self) -> list[Process[ChatApplication]]:
        made = [Process(ChatApplication()), Process(ChatApplication())]
        # Posts are made in a third process: both get them by the channel layer.
        publisher.attach(lambda _: None)
        return made

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        return self.loop.run_until_complete(work)

    async def _close_connections(self) -> None:
        self.context.run(connections.close_all)

    async def query(self, verb: Any, *arguments: Any, **named: Any) -> Any:
        if self.database_away:
            raise OperationalError("away")
        found = self.context.run(verb, *arguments, **named)
        await self.answers()
        return found

    def close(self) -> None:
        self.answers.release()
        self.layer.is_away = self.database_away = False
        for one in self.processes:
            self.run(one.hub.close())
        for task in asyncio.all_tasks(self.loop):
            task.cancel()
        self.run(asyncio.sleep(0.1))
        self.run(self._close_connections())
        self.loop.close()
        publisher._queue, publisher.is_reachable = None, True
        if self._before is None:
            channel_layers.backends.pop("default", None)
        else:
            channel_layers.set("default", self._before)


class Page(ChatClient):
    """A client that never waits: it applies each answer as it arrives, as a page in a browser does."""

    def __init__(self, transport: Any) -> None:
        super().__init__(transport)
        self.scrolling: dict[int, tuple[str, int]] = {}  # id of the command: room, and before which seq
        self.joined = False  # a join may be refused while the database is away

    def _take(self, frame: dict[str, Any]) -> None:
        super()._take(frame)
        self.joined |= frame["type"] == "joined"
        if (request := self.scrolling.pop(frame.get("id"), None)) and frame["type"] == "ok":  # type: ignore[arg-type]
            room, before = request
            self.rooms[room].add_older(frame["events"], more=frame["more"], before=before)

    @property
    def failure(self) -> BaseException | None:
        return self._failure


class Device:
    """A user's browser: it keeps what it knows while its connection is lost and made again."""

    def __init__(self, world: World, user: User, room: str) -> None:
        self.world, self.user, self.room = world, user, room
        self.cookie = asgi_transport.session_of(user)
        self.page: Page | None = None
        self.known: dict[str, Any] = {}

    @property
    def online(self) -> bool:
        return self.page is not None and self.page.closed is None

    @property
    def follows(self) -> bool:
        return self.page is not None and self.online and self.page.joined

    def connect(self, number: int, limit: int = 3) -> None:
        """Say hello and resume, without waiting for an answer."""
        self.cut()
        self.world.here = self.world.processes[number]
        transport = self.world.run(asgi_transport.AsgiTransport.open(cookie=self.cookie))
        self.world.communicators.append(transport.communicator)
        self.page = Page(transport)
        self.page.rooms = self.known
        self.world.run(self._begin(self.page, limit))

    async def _begin(self, page: Page, limit: int) -> None:
        await page.open()
        await page.send_command("hello")
        known = self.known.get(self.room)
        since = {"since": {"epoch": known.epoch, "seq": known.last}} if known else {}
        await page.send_command("join", room=self.room, limit=limit, **since)

    def cut(self) -> None:
        """The line goes dead; what was on its way is lost."""
        if self.page is not None:
            page, self.page = self.page, None
            self.world.run(self._end(page))

    @staticmethod
    async def _end(page: Page) -> None:
        page._reader.cancel()
        await asyncio.gather(page._reader, return_exceptions=True)
        await page.transport.communicator.send_input({"type": "websocket.disconnect", "code": 1006})

    def send_command(self, type: str, **fields: Any) -> int:
        assert self.page is not None
        return self.world.run(self.page.send_command(type, **fields))

    def scroll(self) -> None:
        assert self.page is not None
        before = self.known[self.room].start
        number = self.send_command("history", room=self.room, before=before, limit=2)
        self.page.scrolling[number] = (self.room, before)

    @property
    def mine(self) -> list[dict[str, Any]]:
        """My messages, as I know them."""
        known = self.known.get(self.room)
        posts = known.visible if known else []
        return [post for post in posts if post["author"]["id"] == self.user.pk and not post["deleted"]]
