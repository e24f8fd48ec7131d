"""How many messages a second one core can receive, by the way it reads: `python -m loadtest.transport_speed`.

Another process sends the same frames to many sockets as fast as they are read. Each way of reading runs in a process
of its own under gevent, and counts messages and its own CPU time.
"""

import argparse
import multiprocessing
import os
import selectors
import socket
import sys
import time
from collections.abc import Callable

from loadtest.core.frames import parse_frames

SOCKETS = 200
BURST = 1  # frames in a write
BURSTS = 1000  # different ones
BUFFER_BYTES = 4096  # of the system between the two processes: a read finds some frames, not hundreds
BODY = (
    b'{"type":"events","events":[{"room":"harbour","seq":%d,"kind":"message","message":{"seq":%d,"body":"'
    + b"x" * 200
    + b'"}}]}'
)

ReadAll = Callable[[list[socket.socket], Callable[[int], None]], None]


def send_forever(peers: list[socket.socket]) -> None:
    """Write to each socket as fast as it is read. Each burst has other bytes than the one before."""
    for peer in peers:
        peer.setblocking(False)
        peer.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, BUFFER_BYTES)
    selector = selectors.DefaultSelector()
    counts = {}
    unsent: dict[int, bytes] = {}
    for peer in peers:
        selector.register(peer, selectors.EVENT_WRITE)
        counts[peer.fileno()] = 0
    bursts = [
        b"".join(build_server_frame(BODY % (seq, seq)) for seq in range(number * BURST, (number + 1) * BURST))
        for number in range(BURSTS)
    ]
    while True:
        for key, _ in selector.select():
            fd = key.fd
            data = unsent.get(fd) or bursts[counts[fd] % BURSTS]
            try:
                written = os.write(fd, data)
            except BlockingIOError:
                continue
            except OSError:
                return
            unsent[fd] = data[written:]
            counts[fd] += not unsent[fd]


def build_server_frame(payload: bytes) -> bytes:
    """Return an unmasked text frame with a length of two bytes."""
    return bytes((0x81, 126)) + len(payload).to_bytes(2, "big") + payload


def read_with_websocket_client(sockets: list[socket.socket], count: Callable[[int], None]) -> None:
    """Read with websocket-client's recv(), one greenlet for each socket."""
    import gevent  # noqa: PLC0415
    import websocket  # noqa: PLC0415

    def read(one: socket.socket) -> None:
        connection = websocket.WebSocket(skip_utf8_validation=True)
        connection.sock, connection.connected = one, True
        while True:
            connection.recv()
            count(1)

    gevent.joinall([gevent.spawn(read, one) for one in sockets])


def read_with_wsproto(sockets: list[socket.socket], count: Callable[[int], None]) -> None:
    """Read with wsproto's Connection, one greenlet for each socket."""
    import gevent  # noqa: PLC0415
    from wsproto.connection import Connection, ConnectionType  # noqa: PLC0415

    def read(one: socket.socket) -> None:
        connection = Connection(ConnectionType.CLIENT)
        while True:
            connection.receive_data(one.recv(65536))
            count(sum(1 for _ in connection.events()))

    gevent.joinall([gevent.spawn(read, one) for one in sockets])


def read_with_websockets(sockets: list[socket.socket], count: Callable[[int], None]) -> None:
    """Read with websockets' sans-I/O protocol, one greenlet for each socket."""
    import gevent  # noqa: PLC0415
    from websockets.client import ClientProtocol  # noqa: PLC0415
    from websockets.protocol import State  # noqa: PLC0415
    from websockets.uri import parse_uri  # noqa: PLC0415

    def read(one: socket.socket) -> None:
        protocol = ClientProtocol(parse_uri("ws://localhost/"), state=State.OPEN, max_size=None)
        while True:
            protocol.receive_data(one.recv(65536))
            count(len(protocol.events_received()))

    gevent.joinall([gevent.spawn(read, one) for one in sockets])


def read_with_greenlets(sockets: list[socket.socket], count: Callable[[int], None]) -> None:
    """Read with parse_frames, one greenlet for each socket."""
    import gevent  # noqa: PLC0415

    def read(one: socket.socket) -> None:
        buffer = b""
        while True:
            buffer += one.recv(65536)
            frames, consumed = parse_frames(buffer)
            buffer = buffer[consumed:]
            count(len(frames))

    gevent.joinall([gevent.spawn(read, one) for one in sockets])


def read_with_socket_loop(sockets: list[socket.socket], count: Callable[[int], None]) -> None:
    """Read with the load test's own loop: one epoll for all sockets, and every sequence number checked."""
    import gevent  # noqa: PLC0415

    from loadtest.core.bundled_chat_protocol import decode_events  # noqa: PLC0415
    from loadtest.core.connection import Connection  # noqa: PLC0415
    from loadtest.core.handshake import HandshakeRequest  # noqa: PLC0415
    from loadtest.core.socket_loop import DecodedFrames, Delivery  # noqa: PLC0415
    from loadtest.load.gevent_loop import GeventLoop  # noqa: PLC0415
    from loadtest.load.users.websocket_user import WebSocketUser  # noqa: PLC0415

    def decode(payload: bytes) -> DecodedFrames:
        events = decode_events(payload) or []
        return DecodedFrames(tuple(Delivery(event.room, event.seq or 0, 1) for event in events), len(events))

    class Reader(WebSocketUser):
        abstract = True

        def __init__(self, one: socket.socket) -> None:
            self.trackers = {}
            self.connection = Connection(one, HandshakeRequest(b"", ""))

    loop = GeventLoop(decode)
    loop.start()
    for one in sockets:
        one.setblocking(False)
        loop.add(Reader(one))
    before = 0
    while True:
        gevent.sleep(0.05)
        count(loop.counts.deliveries - before)
        before = loop.counts.deliveries


WAYS: dict[str, ReadAll] = {
    "websocket-client": read_with_websocket_client,
    "wsproto": read_with_wsproto,
    "websockets, sans I/O": read_with_websockets,
    "parse_frames, a greenlet each": read_with_greenlets,
    "SocketLoop, with the oracle": read_with_socket_loop,
}


def measure_way(name: str, seconds: float) -> None:
    """Measure one way in this process, print its line, and exit."""
    pairs = [socket.socketpair() for _ in range(SOCKETS)]
    if not (pid := os.fork()):
        send_forever([theirs for _, theirs in pairs])
        os._exit(0)
    import gevent  # noqa: PLC0415
    import locust  # noqa: F401, PLC0415  # replaces Python's sockets by gevent's

    sockets = [socket.socket(fileno=one.detach()) for one, _ in pairs]
    counted = [0]

    def count(number: int) -> None:
        counted[0] += number

    gevent.spawn(WAYS[name], sockets, count)
    gevent.sleep(0.5)  # to warm up
    counted[0], cpu = 0, time.process_time()
    gevent.sleep(seconds)
    cpu = time.process_time() - cpu
    os.kill(pid, 9)
    print(f"{name:32} {counted[0] / cpu:>10,.0f} messages a second of CPU, {cpu * 1e6 / counted[0]:.1f} us each")
    sys.stdout.flush()
    os._exit(0)


def main() -> None:
    """Measure all ways, each in a process of its own."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=4.0, help="how long each way is measured")
    seconds = parser.parse_args().seconds
    context = multiprocessing.get_context("spawn")
    for name in WAYS:
        process = context.Process(target=measure_way, args=(name, seconds))
        process.start()
        process.join()


if __name__ == "__main__":
    main()
