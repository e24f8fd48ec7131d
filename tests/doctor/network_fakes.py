"""Faults of a network: a relay that drops idle connections, and a name server with an answer of its own."""

import contextlib
import select
import socket
import struct
import threading
from collections.abc import Iterator
from contextlib import contextmanager


class Relay:
    """Forwards each connection to a port of this machine or to a unix socket. stop() ends it."""

    def __init__(
        self,
        to: int | str,
        address: str = "127.0.0.1",
        port: int = 0,
        *,
        idle_timeout: float | None = None,
        cuts_close_frames: bool = False,
    ) -> None:
        """Listen on this address.

        Args:
            to: a port of this machine, or the path of a unix socket.
            address: where to listen.
            port: where to listen; 0: a free port.
            idle_timeout: after so many seconds without a byte the relay swallows everything and tells neither side,
                like a load balancer that has dropped the connection.
            cuts_close_frames: end a connection when the client sends a close frame.
        """
        self.to, self.idle_timeout, self.cuts_close_frames = to, idle_timeout, cuts_close_frames
        self.listening = socket.create_server((address, port))
        self.port = int(self.listening.getsockname()[1])
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self) -> None:
        """Forward each connection in a thread of its own."""
        with contextlib.suppress(OSError):
            while True:
                client, _ = self.listening.accept()
                threading.Thread(target=self.forward, args=(client,), daemon=True).start()

    def forward(self, client: socket.socket) -> None:
        """Forward one connection until it ends."""
        family = socket.AF_UNIX if isinstance(self.to, str) else socket.AF_INET
        with client, socket.socket(family) as server, contextlib.suppress(OSError):
            server.connect(self.to if isinstance(self.to, str) else ("127.0.0.1", self.to))
            sides = {client.fileno(): client, server.fileno(): server}
            arrivals = select.poll()  # select.select() refuses descriptors above 1023
            for descriptor in sides:
                arrivals.register(descriptor, select.POLLIN)
            while readable := arrivals.poll(None if self.idle_timeout is None else self.idle_timeout * 1000):
                for side in (sides[descriptor] for descriptor, _ in readable):
                    data = side.recv(65536)
                    if not data or (self.cuts_close_frames and side is client and data[:1] == b"\x88"):
                        return
                    (server if side is client else client).sendall(data)
            while client.recv(65536):
                pass

    def stop(self) -> None:
        """Stop listening."""
        self.listening.shutdown(socket.SHUT_RDWR)  # close() alone leaves accept() waiting, and the port in use
        self.listening.close()


@contextmanager
def serve_names(address: str) -> Iterator[int]:
    """Serve DNS (RFC 1035): every name has this IPv4 address, for an hour. Yields the server's port."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server:
        server.bind(("127.0.0.1", 0))

        def answer() -> None:
            with contextlib.suppress(OSError):
                while True:
                    query, client = server.recvfrom(512)
                    if not query:
                        return
                    question = query[12 : query.index(b"\0", 12) + 5]
                    record = b"\xc0\x0c" + struct.pack("!HHIH", 1, 1, 3600, 4) + socket.inet_aton(address)
                    server.sendto(query[:2] + struct.pack("!5H", 0x8180, 1, 1, 0, 0) + question + record, client)

        thread = threading.Thread(target=answer, daemon=True)
        thread.start()
        try:
            yield int(server.getsockname()[1])
        finally:
            server.sendto(b"", server.getsockname())
            thread.join()
