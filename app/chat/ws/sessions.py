"""Are the people behind the open sockets still signed in? Asked once for all of them, every PING_SECONDS."""

import asyncio
from collections.abc import Sequence
from itertools import islice
from typing import Protocol

from django.db import Error as DatabaseError

from accounts.sessions import get_session_users
from chat import limits
from chat.ws.database import query

AT_ONCE = 200  # sessions in one query: some 10 ms


class SignedIn(Protocol):
    """A socket whose user was found by a session."""

    key: int  # the user's

    def signed_out(self) -> None:
        """The session is over, or has become somebody else's."""


class Sessions:
    """The sessions that this process's sockets live on."""

    def __init__(self) -> None:
        self._open: dict[SignedIn, str] = {}
        self._task: asyncio.Task[None] | None = None
        self._doubts: set[asyncio.Task[None]] = set()

    def watch(self, socket: SignedIn, session_key: str) -> None:
        """Tell the socket when the session ends, at the latest two checks later."""
        self._open[socket] = session_key
        if self._task is None or self._task.done():
            self._task = asyncio.ensure_future(self._work())

    def doubt(self, socket: SignedIn) -> None:
        """Ask for this one now."""
        if key := self._open.get(socket):
            task = asyncio.ensure_future(self._check([(socket, key)]))
            self._doubts.add(task)
            task.add_done_callback(self._doubts.discard)

    def forget(self, socket: SignedIn) -> None:
        """The socket is gone."""
        self._open.pop(socket, None)

    async def _work(self) -> None:
        while self._open:
            await asyncio.sleep(limits.PING_SECONDS)
            sockets = iter(list(self._open.items()))
            while some := list(islice(sockets, AT_ONCE)):
                await self._check(some)

    async def _check(self, sockets: Sequence[tuple[SignedIn, str]]) -> None:
        keys = [key for _, key in sockets]
        try:
            users = await query(get_session_users, keys)
        except DatabaseError:
            return  # not known to be over
        for (socket, key), user in zip(sockets, users, strict=True):
            if self._open.get(socket) == key and (user is None or user.pk != socket.key):
                socket.signed_out()

    def close(self) -> None:
        """Ask no more."""
        for task in (self._task, *self._doubts):
            if task is not None:
                task.cancel()
