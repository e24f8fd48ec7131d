"""One WebSocket as seen from the application: writing never waits, order is kept, goodbyes are last."""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from typing import Any

Send = Callable[[dict[str, Any]], Awaitable[None]]

FULL = 1024 * 1024  # characters a slow reader may leave waiting; ephemeral frames are dropped at half of it


class Socket:
    """The sending side of an accepted socket. `overflow` is called once when its reader falls too far behind."""

    def __init__(self, send: Send, overflow: Callable[[], None]) -> None:
        self._send = send
        self._overflow = overflow
        self._frames: deque[dict[str, Any]] = deque()
        self._waiting = 0
        self._task: asyncio.Task[None] | None = None
        self.closed = False

    def write(self, frame: str, *, ephemeral: bool = False) -> None:
        """Send a text frame after all earlier ones. Nothing is sent after close."""
        if self.closed or (ephemeral and self._waiting > FULL // 2):
            return
        if self._waiting > FULL:
            self._overflow()
            return
        self._waiting += len(frame)
        self._put({"type": "websocket.send", "text": frame})

    def close(self, code: int, last: str, *, skip: bool = False) -> None:
        """Send the last frame, then the close frame. skip: forget what still waits, its reader is too slow."""
        if self.closed:
            return
        if skip:
            self._frames.clear()
        self.closed = True
        self._put({"type": "websocket.send", "text": last})
        self._put({"type": "websocket.close", "code": code})

    def forget(self) -> None:
        """The connection is gone."""
        self.closed = True
        self._frames.clear()

    def _put(self, message: dict[str, Any]) -> None:
        self._frames.append(message)
        if self._task is None or self._task.done():
            self._task = asyncio.ensure_future(self._drain())

    async def _drain(self) -> None:
        while self._frames:
            message = self._frames.popleft()
            self._waiting -= len(message.get("text", ""))
            await self._send(message)
