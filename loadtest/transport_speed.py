"""How many messages a second one core can receive, by the way it reads: `python -m loadtest.transport_speed`.

Another process sends a room's worth of sockets the same frames as fast as they are read; each way of reading runs in
a process of its own under gevent, and counts messages and its own CPU time.
"""

import argparse
import multiprocessing
import os
import selectors
import socket
import sys
import time
from collections.abc import Callable

from loadtest import frames

SOCKETS = 200
BURST = 1  # frames in a write
BUFFER = 4096  # bytes of the system between the two: a read finds some frames, not hundreds
BODY = (
    b'{"type":"events","events":[{"room":"harbour","seq":%d,"kind":"message","message":{"seq":%d,"body":"'
    + b"x" * 200
    + b'"}}]}'
)

Serve = Callable[[list[socket.socket], Callable[[int], None]], None]


def blast(peers: list[socket.socket]) -> None:
    """Write to each socket as fast as it is read; every burst has other bytes."""
    for peer in peers:
        peer.setblocking(False)
        peer.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, BUFFER)
    chooser = selectors.DefaultSelector()
    turns = {}
    left: dict[int, bytes] = {}
    for peer in peers:
        chooser.register(peer, selectors.EVENT_WRITE)
        turns[peer.fileno()] = 0
    bursts = [
        b"".join(server_frame(BODY % (place, place)) for place in range(turn * BURST, (turn + 1) * BURST))
        for turn in range(1000)
    ]
    while True:
        for key, _ in chooser.select():
            fd = key.fd
            data = left.get(fd) or bursts[turns[fd] % 1000]
            try:
                sent = os.write(fd, data)
            except BlockingIOError:
                continue
            except OSError:
                return
            left[fd] = data[sent:]
            turns[fd] += not left[fd]


def server_frame(payload: bytes) -> bytes:
    size = len(payload)
    return bytes((0x81, 126)) + size.to_bytes(2, "big") + payload


def with_websocket_client(ours: list[socket.socket], count: Callable[[int], None]) -> None:
    """websocket-client's recv(), one greenlet for each socket."""
    import gevent  # noqa: PLC0415
    import websocket  # noqa: PLC0415

    def listen(one: socket.socket) -> None:
        line = websocket.WebSocket(skip_utf8_validation=True)
        line.sock, line.connected = one, True
        while True:
            line.recv()
            count(1)

    gevent.joinall([gevent.spawn(listen, one) for one in ours])


def with_wsproto(ours: list[socket.socket], count: Callable[[int], None]) -> None:
    """wsproto's Connection, one greenlet for each socket."""
    import gevent  # noqa: PLC0415
    from wsproto.connection import Connection, ConnectionType  # noqa: PLC0415

    def listen(one: socket.socket) -> None:
        line = Connection(ConnectionType.CLIENT)
        while True:
            line.receive_data(one.recv(65536))
            count(sum(1 for _ in line.events()))

    gevent.joinall([gevent.spawn(listen, one) for one in ours])


def with_websockets(ours: list[socket.socket], count: Callable[[int], None]) -> None:
    """websockets' sans-I/O protocol, one greenlet for each socket."""
    import gevent  # noqa: PLC0415
    from websockets.client import ClientProtocol  # noqa: PLC0415
    from websockets.protocol import State  # noqa: PLC0415
    from websockets.uri import parse_uri  # noqa: PLC0415

    def listen(one: socket.socket) -> None:
        line = ClientProtocol(parse_uri("ws://localhost/"), state=State.OPEN, max_size=None)
        while True:
            line.receive_data(one.recv(65536))
            count(len(line.events_received()))

    gevent.joinall([gevent.spawn(listen, one) for one in ours])


def with_greenlets(ours: list[socket.socket], count: Callable[[int], None]) -> None:
    """frames.split, one greenlet for each socket."""
    import gevent  # noqa: PLC0415

    def listen(one: socket.socket) -> None:
        rest = b""
        while True:
            rest += one.recv(65536)
            whole, taken = frames.split(rest)
            rest = rest[taken:]
            count(len(whole))

    gevent.joinall([gevent.spawn(listen, one) for one in ours])


def with_reader(ours: list[socket.socket], count: Callable[[int], None]) -> None:
    """reader.py: one greenlet and one epoll for all, and every place checked by the oracle."""
    import gevent  # noqa: PLC0415

    from loadtest.connection import Connection  # noqa: PLC0415
    from loadtest.parley_protocol import events_in  # noqa: PLC0415
    from loadtest.reader import Delivery, Found, Reader  # noqa: PLC0415
    from loadtest.websocket_user import WebSocketUser  # noqa: PLC0415

    def study(payload: bytes) -> Found:
        events = events_in(payload) or []
        return Found(tuple(Delivery(event.room, event.place or 0, 1) for event in events), len(events))

    class Listener(WebSocketUser):
        abstract = True

        def __init__(self, one: socket.socket) -> None:
            self.tracks = {}
            self.connection = Connection("ws://localhost", {})
            self.connection.socket, self.connection.fd = one, one.fileno()

    reader = Reader(study)
    reader.start()
    for one in ours:
        one.setblocking(False)
        reader.add(Listener(one))
    before = 0
    while True:
        gevent.sleep(0.05)
        count(reader.counts.deliveries - before)
        before = reader.counts.deliveries


WAYS: dict[str, Serve] = {
    "websocket-client": with_websocket_client,
    "wsproto": with_wsproto,
    "websockets, sans I/O": with_websockets,
    "frames.split, a greenlet each": with_greenlets,
    "reader.py, with the oracle": with_reader,
}


def measure(name: str, seconds: float) -> None:
    """Run one way in this process; prints its line."""
    pairs = [socket.socketpair() for _ in range(SOCKETS)]
    if not (pid := os.fork()):
        blast([theirs for _, theirs in pairs])
        os._exit(0)
    import gevent  # noqa: PLC0415
    import locust  # noqa: F401, PLC0415  # puts gevent's sockets in place

    ours = [socket.socket(fileno=one.detach()) for one, _ in pairs]
    counted = [0]

    def count(number: int) -> None:
        counted[0] += number

    gevent.spawn(WAYS[name], ours, count)
    gevent.sleep(0.5)  # warm
    counted[0], cpu = 0, time.process_time()
    gevent.sleep(seconds)
    cpu = time.process_time() - cpu
    os.kill(pid, 9)
    print(f"{name:32} {counted[0] / cpu:>10,.0f} messages a second of CPU, {cpu * 1e6 / counted[0]:.1f} us each")
    sys.stdout.flush()
    os._exit(0)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=4.0)
    seconds = parser.parse_args().seconds
    context = multiprocessing.get_context("spawn")
    for name in WAYS:
        process = context.Process(target=measure, args=(name, seconds))
        process.start()
        process.join()


if __name__ == "__main__":
    main()
