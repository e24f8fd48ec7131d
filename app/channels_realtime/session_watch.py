"""Finds out whether the users of open sockets are still signed in, for many sockets with one query."""

import asyncio
from collections.abc import Callable, Sequence
from itertools import islice
from typing import Protocol

from django.db import Error as DatabaseError

from .database import run_query

SESSIONS_PER_QUERY = 200  # some 10 ms


class SessionSocket(Protocol):
    """A socket whose user was found by a session."""

    key: int  # of the user

    def on_signed_out(self) -> None:
        """The session has ended, or belongs to another user now."""


class SessionWatch:
    """The sessions of this process's sockets, each checked every `interval` seconds."""

    def __init__(self, load_user_keys: Callable[[Sequence[str]], Sequence[int | None]], interval: float) -> None:
        """Create an empty watch for the running event loop.

        Args:
            load_user_keys: Returns the key of the user of each of these sessions, None for a session that has ended.
                It runs in a database thread.
            interval: Seconds between two checks of a session.
        """
        self._load_user_keys = load_user_keys
        self._interval = interval
        self._sessions: dict[SessionSocket, str] = {}
        self._task: asyncio.Task[None] | None = None
        self._rechecks: set[asyncio.Task[None]] = set()

    def add(self, socket: SessionSocket, session: str) -> None:
        """Watch the session with this key for the socket; it replaces the one that the socket had."""
        self._sessions[socket] = session
        if self._task is None or self._task.done():
            self._task = asyncio.ensure_future(self._run())

    def recheck(self, socket: SessionSocket) -> None:
        """Check this socket's session now."""
        if session := self._sessions.get(socket):
            task = asyncio.ensure_future(self._check([(socket, session)]))
            self._rechecks.add(task)
            task.add_done_callback(self._rechecks.discard)

    def remove(self, socket: SessionSocket) -> None:
        """Watch nothing for this socket. It need not have been added."""
        self._sessions.pop(socket, None)

    async def _run(self) -> None:
        while self._sessions:
            await asyncio.sleep(self._interval)
            remaining = iter(list(self._sessions.items()))
            while batch := list(islice(remaining, SESSIONS_PER_QUERY)):
                await self._check(batch)

    async def _check(self, sockets: Sequence[tuple[SessionSocket, str]]) -> None:
        try:
            users = await run_query(self._load_user_keys, [session for _, session in sockets])
        except DatabaseError:
            return  # nothing is known, so no socket is closed
        for (socket, session), user in zip(sockets, users, strict=True):
            if self._sessions.get(socket) == session and user != socket.key:
                socket.on_signed_out()

    def close(self) -> None:
        """Check no more."""
        for task in (self._task, *self._rechecks):
            if task is not None:
                task.cancel()
