"""The socket loop as one greenlet: gevent watches its epoll, and nothing else of it."""

from collections.abc import Callable

import gevent
from gevent import monkey

from loadtest.core.socket_loop import DecodedFrames, SocketLoop

BATCH = 128  # sockets served before timers get their turn


class GeventLoop(SocketLoop):
    """A SocketLoop that runs in the background of a locust process."""

    def __init__(self, decode: Callable[[bytes], DecodedFrames | None]) -> None:
        super().__init__(decode, monkey.get_original("select", "epoll")())

    def start(self) -> None:
        """Start the greenlet."""
        gevent.spawn(self._run)

    def _run(self) -> None:
        hub = gevent.get_hub()
        watcher = hub.loop.io(self._epoll.fileno(), 1)
        while True:
            hub.wait(watcher)
            self.poll(0, BATCH)
