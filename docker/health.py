"""Whether the server in this container does its work: health.py web|ws. Exit code 0 or one line that says why not.

web: /readyz under the site's own name, so a wrong ALLOWED_HOSTS shows here. ws: a real WebSocket handshake.
"""

import base64
import hashlib
import http.client
import os
import sys

PORT = 8000  # of docker/entrypoint
PATIENCE = 4  # seconds; less than the healthcheck's own timeout, so that there is a reason to read
WEBSOCKET = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"  # RFC 6455, 1.3


def host() -> str:
    first = os.environ.get("ALLOWED_HOSTS", "").split(",")[0].strip()
    return "localhost" if first in ("", "*") else first.lstrip(".")


def ask(path: str, headers: dict[str, str]) -> http.client.HTTPResponse:
    connection = http.client.HTTPConnection("127.0.0.1", PORT, timeout=PATIENCE)
    connection.request("GET", path, headers={"Host": host(), "X-Forwarded-Proto": "https", **headers})
    return connection.getresponse()


def web() -> str | None:
    answer = ask("/readyz", {})
    return None if answer.status == 200 else f"/readyz: {answer.status} {answer.read(500)!r}"


def ws() -> str | None:
    key = base64.b64encode(os.urandom(16)).decode()
    handshake = {
        "Connection": "Upgrade",
        "Upgrade": "websocket",
        "Sec-WebSocket-Version": "13",
        "Sec-WebSocket-Key": key,
        "Sec-WebSocket-Protocol": "parley.v1",
    }
    answer = ask("/ws/", handshake)
    if answer.status != 101:
        return f"handshake: {answer.status} {answer.reason}"
    digest = hashlib.sha1((key + WEBSOCKET).encode(), usedforsecurity=False).digest()
    expected = base64.b64encode(digest).decode()
    return None if answer.headers["Sec-WebSocket-Accept"] == expected else "handshake: a wrong Sec-WebSocket-Accept"


if __name__ == "__main__":
    try:
        sys.exit({"web": web, "ws": ws}[sys.argv[1]]())
    except OSError as nobody:
        sys.exit(f"no answer: {nobody}")
