"""One WebSocket as seen from the application: writing never waits, order is kept, goodbyes are last."""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from typing import Any

from realtime.frames import Frame
from realtime.metrics import SLOW

Send = Callable[[dict[str, Any]], Awaitable[None]]

FULL = 1024 * 1024  # bytes a slow reader may leave waiting; ephemeral frames are dropped at half of it
DIRECT = "parley.direct"  # the ASGI extension that realtime.server offers


def sending_side(scope: dict[str, Any], send: Send, overflow: Callable[[], None]) -> "Socket":
    """The fastest way that this server has. `overflow` is called when the reader falls too far behind."""
    socket: Socket = scope.get("extensions", {}).get(DIRECT) or AsgiSocket(send)
    socket.overflow = overflow
    return socket


class Socket:
    """The sending side of an accepted socket; how it sends, its subclasses know."""

    __slots__ = ("closed", "overflow", "waiting")

    def __init__(self) -> None:
        self.closed = False
        self.waiting = 0  # bytes
        self.overflow: Callable[[], None] = _nobody_cares

    def write(self, frame: Frame) -> None:
        """Send a frame after all earlier ones. Nothing is sent after close."""
        raise NotImplementedError

    def finish(self, code: int, last: Frame, *, skip: bool) -> None:
        """Send what close() says."""
        raise NotImplementedError

    def count(self, more: int) -> None:
        """So many more bytes wait."""
        self.waiting += more
        if self.waiting > FULL:
            SLOW.inc()
            self.overflow()

    @property
    def behind(self) -> bool:
        """Whether the reader is too slow for what can wait."""
        return self.waiting > FULL // 2

    def whisper(self, frame: Frame) -> None:
        """Send a frame that may as well be lost: a slow reader does not get it."""
        if not self.behind:
            self.write(frame)

    def close(self, code: int, last: Frame, *, skip: bool = False) -> None:
        """Send the last frame, then the close frame. skip: forget what still waits, its reader is too slow."""
        if not self.closed:
            self.closed = True
            self.finish(code, last, skip=skip)

    def forget(self) -> None:
        """The connection is gone."""
        self.closed = True


class AsgiSocket(Socket):
    """websocket.send on any ASGI server, by one task for each socket that has something to say.

    What the server itself holds back comes on top of what waits here.
    """

    __slots__ = ("_messages", "_send", "_task")

    def __init__(self, send: Send) -> None:
        super().__init__()
        self._send = send
        self._messages: deque[Frame | int] = deque()  # an int is the close code
        self._task: asyncio.Task[None] | None = None

    def write(self, frame: Frame) -> None:
        if not self.closed:
            self._leave(frame)
            self.count(len(frame.wire))

    def finish(self, code: int, last: Frame, *, skip: bool) -> None:
        if skip:
            self._messages.clear()
            self.waiting = 0
        self.waiting += len(last.wire)
        self._leave(last)
        self._messages.append(code)

    def _leave(self, frame: Frame) -> None:
        self._messages.append(frame)
        if self._task is None or self._task.done():
            self._task = asyncio.ensure_future(self._empty())

    async def _empty(self) -> None:
        while self._messages:
            message = self._messages.popleft()
            if isinstance(message, Frame):
                self.waiting -= len(message.wire)
                await self._send({"type": "websocket.send", "text": message.text})
            else:
                await self._send({"type": "websocket.close", "code": message})


def _nobody_cares() -> None:
    """Of a socket that no application has taken."""
