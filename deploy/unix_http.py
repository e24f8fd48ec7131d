"""HTTP requests to a server at a unix socket."""

import http.client
import socket
from pathlib import Path


class UnixSocketConnection(http.client.HTTPConnection):
    """An HTTP connection to a server at a unix socket.

    Args:
        path: the socket.
        timeout: of each answer, in seconds.
        host: what the header Host says.
    """

    def __init__(self, path: Path, timeout: float, host: str = "localhost") -> None:
        super().__init__(host, timeout=timeout)
        self.path = path

    def connect(self) -> None:
        """Open the connection, as http.client does before a request."""
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        self.sock.connect(str(self.path))


def fetch(connection: http.client.HTTPConnection, path: str, host: str | None = None) -> tuple[int, str]:
    """Return the status and the body of a page, and close the connection.

    Args:
        connection: to the server; not open yet.
        path: of the page, such as "/readyz".
        host: the header Host, where it is not that of the connection.

    Raises:
        OSError: the server does not answer.
        http.client.HTTPException: the answer is not HTTP.
    """
    try:
        connection.request("GET", path, headers={"Host": host} if host else {})
        response = connection.getresponse()
        return response.status, response.read().decode(errors="replace")
    finally:
        connection.close()
