"""What all sockets of a process share (strictly: of its event loop)."""

import asyncio
from collections import Counter
from weakref import WeakKeyDictionary

from chat.ws.posting import PostOffice
from chat.ws.source import RoomSource
from realtime.hub import Hub


class Process:
    """The hub, the post office, and how many sockets each user has open."""

    def __init__(self) -> None:
        self.hub = Hub(RoomSource())
        self.post_office = PostOffice()
        self.sockets_of: Counter[int] = Counter()


_processes: WeakKeyDictionary[asyncio.AbstractEventLoop, Process] = WeakKeyDictionary()


def this_process() -> Process:
    """The one of the running loop; made when the first socket comes."""
    loop = asyncio.get_running_loop()
    if loop not in _processes:
        _processes[loop] = Process()
    return _processes[loop]


async def end_process() -> None:
    """Stop what the first socket started."""
    if process := _processes.pop(asyncio.get_running_loop(), None):
        await process.hub.close()
