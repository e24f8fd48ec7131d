"""Something between two ends that carries bytes, for as long as it likes."""

import contextlib
import select
import socket
import struct
import threading
from collections.abc import Iterator
from contextlib import contextmanager


class Relay:
    """Carries each connection to a port of this machine or a unix socket. `idle`: after so many seconds without a
    byte it swallows everything, without a word, as a load balancer that has forgotten the connection. `rude`: it ends a
    connection when it sees the client's close frame."""

    def __init__(
        self, to: int | str, address: str = "127.0.0.1", port: int = 0, *, idle: float | None = None, rude: bool = False
    ) -> None:
        self.to, self.idle, self.rude = to, idle, rude
        self.listening = socket.create_server((address, port))
        self.port = int(self.listening.getsockname()[1])
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                line, _ = self.listening.accept()
                threading.Thread(target=self.carry, args=(line,), daemon=True).start()

    def carry(self, line: socket.socket) -> None:
        family = socket.AF_UNIX if isinstance(self.to, str) else socket.AF_INET
        with line, socket.socket(family) as other, contextlib.suppress(OSError):
            other.connect(self.to if isinstance(self.to, str) else ("127.0.0.1", self.to))
            while ready := select.select([line, other], [], [], self.idle)[0]:
                for one in ready:
                    data = one.recv(65536)
                    if not data or (self.rude and one is line and data[:1] == b"\x88"):
                        return
                    (other if one is line else line).sendall(data)
            while line.recv(65536):
                pass

    def end(self) -> None:
        self.listening.shutdown(socket.SHUT_RDWR)  # close() alone leaves accept() waiting, and the port taken
        self.listening.close()


@contextmanager
def name_server(address: str) -> Iterator[int]:
    """Says of every name that it has this IPv4 address, for an hour; yields its port."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as line:
        line.bind(("127.0.0.1", 0))

        def answer() -> None:
            with contextlib.suppress(OSError):
                while True:
                    asked, who = line.recvfrom(512)
                    if not asked:
                        return
                    question = asked[12 : asked.index(b"\0", 12) + 5]
                    record = b"\xc0\x0c" + struct.pack("!HHIH", 1, 1, 3600, 4) + socket.inet_aton(address)
                    line.sendto(asked[:2] + struct.pack("!5H", 0x8180, 1, 1, 0, 0) + question + record, who)

        serving = threading.Thread(target=answer, daemon=True)
        serving.start()
        try:
            yield int(line.getsockname()[1])
        finally:
            line.sendto(b"", line.getsockname())
            serving.join()
