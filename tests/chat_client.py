"""A client of the protocol parley.v1 over any transport. It keeps the frames and the rooms that it receives.

It applies events as room.js does, and is stricter: an event that does not follow the last event of its room fails the
test at once.
"""

import asyncio
import itertools
import json
from typing import Any, Protocol, Self
from uuid import uuid4

from tests.schema import check_command, check_reply


class Refused(Exception):
    """The server answered with an error frame."""

    def __init__(self, frame: dict[str, Any]) -> None:
        super().__init__(f"{frame['code']}: {frame['text']}")
        self.code = frame["code"]
        self.frame = frame


class Closed(Exception):
    """The server closed the socket."""

    def __init__(self, code: int) -> None:
        super().__init__(f"closed with {code}")
        self.code = code


class Transport(Protocol):
    """An open WebSocket connection."""

    async def send(self, text: str) -> None: ...
    async def receive(self) -> str:
        """Raises Closed."""

    async def close(self) -> None: ...


class Room:
    """What a client has received of a room."""

    def __init__(self) -> None:
        self.epoch = ""
        self.last = -1
        self.start = 0  # all messages from this sequence number on are loaded
        self.messages: dict[int, dict[str, Any]] = {}
        self.posts: list[dict[str, Any]] = []  # live, in the order of their arrival
        self.seqs: list[int] = []  # of the live events
        self.snapshots = 0

    def apply_joined(self, frame: dict[str, Any]) -> None:
        if frame["recovered"]:
            assert frame["epoch"] == self.epoch
        else:
            self.messages, self.start = {}, 0
            if frame["more"]:
                self.start = min((e["message"]["seq"] for e in frame["events"]), default=frame["head"] + 1)
            self.snapshots += 1
        for event in frame["events"]:
            assert event["seq"] <= frame["head"]
            if frame["recovered"]:
                assert event["seq"] > self.last
            self._put(event)
            if frame["recovered"] and event["kind"] == "message" and event["message"]["seq"] > self.last:
                self.posts.append(event["message"])
        self.epoch, self.last = frame["epoch"], frame["head"]

    def apply_event(self, event: dict[str, Any]) -> None:
        assert event["seq"] > self.last, f"event {event['seq']} arrived after {self.last}"
        self.last = event["seq"]
        self.seqs.append(event["seq"])
        self._put(event)
        if event["kind"] == "message" and event["message"]["seq"] == event["seq"]:
            self.posts.append(event["message"])

    def add_older(self, events: list[dict[str, Any]], *, more: bool, before: int) -> None:
        """Add a page of messages older than `before`; ignore it if a join has moved the window since the request."""
        if before != self.start:
            return
        for event in events:
            self._put(event)
        if events:
            self.start = min(self.start, *(event["message"]["seq"] for event in events)) if more else 0
        else:
            self.start = 0

    def _put(self, event: dict[str, Any]) -> None:
        if event["kind"] == "message":
            message = event["message"]
            if message["rev"] >= self.messages.get(message["id"], message)["rev"]:
                self.messages[message["id"]] = message

    @property
    def visible(self) -> list[dict[str, Any]]:
        return sorted((m for m in self.messages.values() if m["seq"] >= self.start), key=lambda m: m["seq"])


class ChatClient:
    """A client. `async with ChatClient(transport) as client` sends hello and waits for the welcome."""

    def __init__(self, transport: Transport, timeout_seconds: float = 30) -> None:
        self.transport = transport
        self.timeout_seconds = timeout_seconds  # for every wait
        self.rooms: dict[str, Room] = {}
        self.welcome: dict[str, Any] = {}
        self.frames: list[dict[str, Any]] = []  # everything received
        self.closed: Closed | None = None
        self._ids = itertools.count(1)
        self._replies: dict[int, asyncio.Future[dict[str, Any]]] = {}
        self._news = asyncio.Condition()
        self._failure: BaseException | None = None

    async def __aenter__(self) -> Self:
        await self.open()
        self.welcome = await self.request("hello", client="test")
        return self

    async def open(self) -> None:
        """Start to receive without sending hello."""
        self._reader = asyncio.ensure_future(self._read())

    async def __aexit__(self, *error: object) -> None:
        self._reader.cancel()
        await asyncio.gather(self._reader, return_exceptions=True)
        await self.transport.close()
        if self._failure is not None and error[1] is None:
            raise self._failure

    # --- commands

    async def request(self, type: str, **fields: Any) -> dict[str, Any]:
        """Send a command and return its answer. Raises Refused or Closed."""
        return await self.wait_for_answer(await self.send_command(type, **fields))

    async def send_command(self, type: str, **fields: Any) -> int:
        """Send a command without waiting for its answer. Returns its id."""
        number = next(self._ids)
        frame = {"type": type, "id": number, **fields}
        check_command(frame)
        self._replies[number] = asyncio.get_running_loop().create_future()
        await self.transport.send(json.dumps(frame))
        return number

    async def wait_for_answer(self, number: int) -> dict[str, Any]:
        """Return the answer to the command with this id. Raises Refused or Closed."""
        waiting = self._replies[number]
        done, _ = await asyncio.wait(
            {waiting, self._reader}, timeout=self.timeout_seconds, return_when="FIRST_COMPLETED"
        )
        if waiting not in done:
            self._check()
            raise AssertionError(f"no answer to command {number}")
        frame = self._replies.pop(number).result()
        if frame["type"] == "error":
            raise Refused(frame)
        return frame

    async def join(self, room: str, *, resume: bool = False, limit: int = 50) -> dict[str, Any]:
        """Join a room, with `resume` from the last known event. Returns the `joined` frame."""
        known = self.rooms.get(room)
        since = {"since": {"epoch": known.epoch, "seq": known.last}} if resume and known else {}
        return await self.request("join", room=room, limit=limit, **since)

    async def post(self, room: str, body: str, cid: str | None = None, **fields: Any) -> dict[str, Any]:
        """Send a message and return its acknowledgement."""
        return await self.request("send", room=room, cid=cid or str(uuid4()), body=body, **fields)

    async def load_older(self, room: str, limit: int = 100) -> dict[str, Any]:
        """Load one page of older messages and return the answer."""
        known = self.rooms[room]
        before = known.start
        answer = await self.request("history", room=room, before=before, limit=limit)
        known.add_older(answer["events"], more=answer["more"], before=before)
        return answer

    # --- waiting

    async def wait_until(self, condition: Any, what: str = "it") -> Any:
        """Wait until condition(self) is true and return its value. `what` names the condition in an error."""
        async with self._news:
            try:
                async with asyncio.timeout(self.timeout_seconds):
                    while not (found := condition(self)):
                        self._check()
                        await self._news.wait()
            except TimeoutError:
                raise AssertionError(f"timed out waiting for {what}") from None
        return found

    async def wait_for_message(self, room: str, body: str) -> dict[str, Any]:
        """Wait for a message with this body and return it."""
        return await self.wait_until(
            lambda client: next((m for m in client.rooms[room].messages.values() if m["body"] == body), None), body
        )

    async def wait_for_frame(self, type: str) -> dict[str, Any]:
        """Wait for the first frame of this type and return it."""
        return await self.wait_until(lambda client: next((f for f in client.frames if f["type"] == type), None), type)

    async def wait_closed(self) -> int:
        """Wait until the server closes the connection. Returns the close code."""
        await asyncio.wait_for(asyncio.shield(self._reader), self.timeout_seconds)
        assert self.closed is not None
        return self.closed.code

    def _check(self) -> None:
        if self._failure:
            raise self._failure
        if self.closed:
            raise self.closed

    # --- frames

    async def _read(self) -> None:
        try:
            while True:
                text = await self.transport.receive()
                frame = json.loads(text)
                check_reply(frame)
                self.frames.append(frame)
                self._take(frame)
                if frame["type"] == "ping":
                    await self.transport.send(json.dumps({"type": "pong", "n": frame["n"]}))
                async with self._news:
                    self._news.notify_all()
        except Closed as closed:
            self.closed = closed
        except Exception as failure:
            self._failure = failure
        async with self._news:
            self._news.notify_all()

    def _take(self, frame: dict[str, Any]) -> None:
        if frame["type"] == "joined":
            self.rooms.setdefault(frame["room"], Room()).apply_joined(frame)
        elif frame["type"] == "events":
            for event in frame["events"]:
                self.rooms[event["room"]].apply_event(event)
        waiting = self._replies.get(frame.get("id"))  # type: ignore[arg-type]
        if waiting and not waiting.done():
            waiting.set_result(frame)
