"""One WebSocket as seen from the application: writing never waits, order is kept, goodbyes are last."""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from typing import Any

from realtime.counts import SLOW
from realtime.frames import Frame

Send = Callable[[dict[str, Any]], Awaitable[None]]

FULL = 1024 * 1024  # bytes a slow reader may leave waiting; ephemeral frames are dropped at half of it
DIRECT = "parley.direct"  # the ASGI extension that realtime.server offers


def sending_side(scope: dict[str, Any], send: Send, overflow: Callable[[], None]) -> "Socket":
    """The fastest way that this server has. `overflow` is called when the reader falls too far behind."""
    direct = scope.get("extensions", {}).get(DIRECT)
    return Socket(direct if direct is not None else AsgiWriter(send), overflow)


class Socket:
    """The sending side of an accepted socket."""

    def __init__(self, writer: Any, overflow: Callable[[], None]) -> None:
        self._writer = writer
        self._overflow = overflow
        self.closed = False

    def write(self, frame: Frame) -> None:
        """Send a frame after all earlier ones. Nothing is sent after close."""
        if not self.closed and self._writer.write(frame) > FULL:
            SLOW.inc()
            self._overflow()

    @property
    def behind(self) -> bool:
        """Whether the reader is too slow for what can wait."""
        return bool(self._writer.waiting > FULL // 2)

    def whisper(self, frame: Frame) -> None:
        """Send a frame that may as well be lost: a slow reader does not get it."""
        if not self.closed and not self.behind:
            self._writer.write(frame)

    def close(self, code: int, last: Frame, *, skip: bool = False) -> None:
        """Send the last frame, then the close frame. skip: forget what still waits, its reader is too slow."""
        if not self.closed:
            self.closed = True
            self._writer.close(code, last, skip=skip)

    def forget(self) -> None:
        """The connection is gone."""
        self.closed = True


class AsgiWriter:
    """websocket.send on any ASGI server, by one task for each socket that has something to say."""

    def __init__(self, send: Send) -> None:
        self._send = send
        self._messages: deque[Frame | int] = deque()  # an int is the close code
        self._task: asyncio.Task[None] | None = None
        self.waiting = 0  # bytes; what the server itself holds back comes on top

    def write(self, frame: Frame) -> int:
        """Send a frame after all earlier ones. Returns the bytes that wait."""
        self._messages.append(frame)
        self.waiting += len(frame.wire)
        if self._task is None or self._task.done():
            self._task = asyncio.ensure_future(self._empty())
        return self.waiting

    def close(self, code: int, last: Frame, *, skip: bool) -> None:
        """Send the last frame and then a close frame. skip: forget the frames that are not begun."""
        if skip:
            self._messages.clear()
            self.waiting = 0
        self.write(last)
        self._messages.append(code)

    async def _empty(self) -> None:
        while self._messages:
            message = self._messages.popleft()
            if isinstance(message, Frame):
                self.waiting -= len(message.wire)
                await self._send({"type": "websocket.send", "text": message.text})
            else:
                await self._send({"type": "websocket.close", "code": message})
