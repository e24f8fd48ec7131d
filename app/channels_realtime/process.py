"""What all sockets of a process share: its hub, pings, session checks and presence."""

import asyncio
from collections.abc import Sequence
from typing import Any, Generic, Protocol, TypeVar, cast
from weakref import WeakKeyDictionary

from .conf import PING_INTERVAL_SECONDS
from .hub import Hub, Source
from .ping_scheduler import PingScheduler
from .presence import Presence, StreamPresence
from .session_watch import SessionWatch

SESSION_CHECK_INTERVAL_SECONDS = PING_INTERVAL_SECONDS


class Application(Source, Protocol):
    """What channels_realtime asks of the application, besides the events of its streams."""

    def load_user_keys(self, sessions: Sequence[str]) -> Sequence[int | None]:
        """Return the key of the user of each session, None where it has ended. Runs in a database thread."""

    def presence_message(self, label: str, presence: StreamPresence) -> str | None:
        """Return the message that tells the members of a stream who is there, or None to tell them nothing."""


App = TypeVar("App", bound=Application)


class Process(Generic[App]):
    """What the sockets of one event loop share."""

    def __init__(self, application: App) -> None:
        """Start the shared parts in the running event loop."""
        self.application = application
        self.hub = Hub(application)
        self.pings = PingScheduler(PING_INTERVAL_SECONDS)
        self.sessions = SessionWatch(application.load_user_keys, SESSION_CHECK_INTERVAL_SECONDS)
        self.presence = Presence(self.hub, application.presence_message)

    async def close(self) -> None:
        """Stop everything."""
        self.sessions.close()
        await self.presence.close()
        await self.hub.close()


_processes: WeakKeyDictionary[asyncio.AbstractEventLoop, Process[Any]] = WeakKeyDictionary()


def shared_process(application: type[App]) -> Process[App]:
    """Return the Process of the running event loop; the first socket creates it.

    Args:
        application: Creates what a new Process serves. An event loop serves one application.
    """
    loop = asyncio.get_running_loop()
    if loop not in _processes:
        _processes[loop] = Process(application())
    return cast("Process[App]", _processes[loop])


async def close_shared_process() -> None:
    """Close the Process of the running event loop, if there is one."""
    if process := _processes.pop(asyncio.get_running_loop(), None):
        await process.close()
