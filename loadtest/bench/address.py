"""Where a contender listens."""

import errno
import os
import socket
from dataclasses import dataclass


@dataclass(frozen=True)
class Address:
    """A TCP port of this machine, or the path of a unix socket."""

    port: int = 0
    path: str = ""
    tls: bool = False

    def start_connecting(self) -> socket.socket:
        """Return a new non-blocking socket that has begun to connect.

        Raises:
            OSError: the server takes no more connections; a unix socket whose backlog is full says so at once.
        """
        made = socket.socket(socket.AF_UNIX if self.path else socket.AF_INET, socket.SOCK_STREAM)
        made.setblocking(False)
        if not self.path:
            made.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if (error := made.connect_ex(self.path or ("127.0.0.1", self.port))) not in (0, errno.EINPROGRESS):
            made.close()
            raise OSError(error, os.strerror(error))
        return made

    def accepts_connections(self) -> bool:
        """Return whether a server listens there."""
        family = socket.AF_UNIX if self.path else socket.AF_INET
        with socket.socket(family, socket.SOCK_STREAM) as probe:
            probe.settimeout(1)
            try:
                probe.connect(self.path or ("127.0.0.1", self.port))
            except OSError:
                return False
        return True
