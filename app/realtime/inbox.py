"""What a client has said and the application has not yet heard."""

import asyncio
from typing import Any


class Inbox:
    """An asyncio.Queue for one reader, without the 3 KB that an empty one takes; most sockets are silent."""

    __slots__ = ("_arrival", "_messages")

    def __init__(self) -> None:
        self._messages: list[dict[str, Any]] = []
        self._arrival: asyncio.Future[None] | None = None

    def put_nowait(self, message: dict[str, Any]) -> None:
        """Leave a message, and wake the reader."""
        self._messages.append(message)
        if self._arrival is not None and not self._arrival.done():
            self._arrival.set_result(None)

    async def get(self) -> dict[str, Any]:
        """The oldest message, as soon as there is one."""
        while not self._messages:
            self._arrival = asyncio.get_running_loop().create_future()
            await self._arrival
        return self._messages.pop(0)

    def qsize(self) -> int:
        """Messages that wait."""
        return len(self._messages)
