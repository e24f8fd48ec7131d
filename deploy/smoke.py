#!/usr/bin/env python3
"""Is the site there for a browser? The page over https, then a WebSocket, through every hop; names the one that fails.

    deploy/smoke.py https://chat.example.org
    deploy/smoke.py https://chat.example.org --connect 127.0.0.1 --trust /etc/nginx/certificate/fullchain.pem

Needs nothing but Python 3.11. Exit code 0 and one line, or 1 and one line that says which hop and why.
"""

import argparse
import base64
import hashlib
import http.client
import json
import os
import socket
import ssl
import struct
import sys
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

PATIENCE = 10  # seconds for each answer
GUID = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"  # RFC 6455, section 1.3


class Broken(Exception):
    """`hop` is where it ends: name, tls, nginx, gunicorn, daphne or protocol."""

    def __init__(self, hop: str, why: str) -> None:
        super().__init__(f"{hop}: {why}")
        self.why = why


@dataclass(frozen=True)
class Site:
    host: str
    port: int
    address: str
    """Where to connect; the host's name is told in TLS and in the request whatever this is."""
    tls: ssl.SSLContext | None
    """None: a server behind nginx, asked in nginx's place."""

    @property
    def authority(self) -> str:
        return self.host if self.port == 443 else f"{self.host}:{self.port}"

    def connect(self) -> socket.socket:
        try:
            plain = socket.create_connection((self.address, self.port), timeout=PATIENCE)
        except socket.gaierror as error:
            raise Broken("name", f"{self.address} has no address ({error.strerror})") from None
        except OSError as error:
            raise Broken("nginx", f"nobody answers at {self.address} port {self.port} ({error})") from None
        if self.tls is None:
            return plain
        try:
            return self.tls.wrap_socket(plain, server_hostname=self.host)
        except ssl.SSLError as error:
            raise Broken("tls", str(error)) from None
        except OSError as error:
            raise Broken("tls", f"the connection ends before a certificate is shown ({error})") from None

    def get(self, path: str, **headers: str) -> tuple[http.client.HTTPResponse, socket.socket]:
        line = self.connect()
        asked = {"Host": self.authority, "Connection": "close", "User-Agent": "parley-smoke", **headers}
        if self.tls is None:
            asked["X-Forwarded-Proto"] = "https"
        words = "".join(f"{name}: {value}\r\n" for name, value in asked.items())
        try:
            line.sendall(f"GET {path} HTTP/1.1\r\n{words}\r\n".encode())
            response = http.client.HTTPResponse(line)
            response.begin()
        except (OSError, http.client.HTTPException) as error:
            raise Broken("nginx", f"GET {path}: no answer ({error!r})") from None
        return response, line


def page(site: Site) -> None:
    response, _ = site.get("/")
    body = response.read()
    if response.status in (502, 503, 504):
        raise Broken("gunicorn", f"/ answers {response.status}: nginx is there, gunicorn is not")
    if response.status != 200 or b"Parley" not in body:
        raise Broken("gunicorn", f"/ answers {response.status}, and not with our page: {body[:200]!r}")
    if response.headers.get("Strict-Transport-Security") is None:
        raise Broken("nginx", "/ comes without Strict-Transport-Security")


def sentinel(site: Site) -> None:
    """Plain HTTP on the sockets' address is answered by the server that sockets reach."""
    response, _ = site.get("/ws/")
    body = response.read()
    if response.status in (502, 503, 504):
        raise Broken("daphne", f"/ws/ answers {response.status}: nginx is there, daphne is not")
    try:
        said: dict[str, Any] = json.loads(body)
    except ValueError:
        said = {}
    if response.status != 426 or said.get("hop") != "asgi":
        raise Broken("nginx", f"/ws/ answers {response.status} {body[:200]!r}: it does not lead to daphne")
    if said.get("forwarded_proto") != "https":
        raise Broken("nginx", f"daphne is told that the client came by {said.get('forwarded_proto')!r}")


def handshake(site: Site) -> socket.socket:
    key = base64.b64encode(os.urandom(16)).decode()
    response, line = site.get(
        "/ws/",
        **{
            "Connection": "Upgrade",
            "Upgrade": "websocket",
            "Origin": f"https://{site.authority}",
            "Sec-WebSocket-Key": key,
            "Sec-WebSocket-Version": "13",
            "Sec-WebSocket-Protocol": "parley.v1",
        },
    )
    if response.status != 101:
        hop = "nginx" if response.status in (400, 426) else "daphne"
        raise Broken(hop, f"the handshake is answered by {response.status} {response.reason}, not 101")
    accept = base64.b64encode(hashlib.sha1(f"{key}{GUID}".encode()).digest()).decode()
    if response.headers.get("Sec-WebSocket-Accept") != accept:
        raise Broken("nginx", "the 101 does not answer our key: something on the way made it up")
    if response.headers.get("Sec-WebSocket-Protocol") != "parley.v1":
        raise Broken("daphne", "it does not speak parley.v1")
    return line


def hello(line: socket.socket) -> None:
    """A stranger is known to be one: that answer has been through the application and its database."""
    try:
        send(line, json.dumps({"type": "hello", "id": 1, "client": "smoke"}))
        answer = receive(line)
    except OSError as error:
        raise Broken("protocol", f"no answer to hello ({error!r})") from None
    if (answer.get("type"), answer.get("code")) != ("bye", 4401):
        raise Broken("protocol", f"a hello without a session is answered by {answer}")


def send(line: socket.socket, text: str) -> None:
    """One masked text frame of less than 126 bytes."""
    data, mask = text.encode(), os.urandom(4)
    masked = bytes(byte ^ mask[place % 4] for place, byte in enumerate(data))
    line.sendall(bytes([0x81, 0x80 | len(data)]) + mask + masked)


def receive(line: socket.socket) -> dict[str, Any]:
    """The next text frame's JSON. Raises OSError when the other side closes instead."""
    stream = line.makefile("rb")
    while True:
        head = stream.read(2)
        if len(head) < 2:
            raise ConnectionError("the connection ended")
        size = head[1] & 0x7F
        if size == 126:
            (size,) = struct.unpack("!H", stream.read(2))
        data = stream.read(size)
        if head[0] & 0x0F == 1:
            answer: dict[str, Any] = json.loads(data)
            return answer
        if head[0] & 0x0F == 8:
            raise ConnectionError(f"closed with {int.from_bytes(data[:2], 'big')}")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("url", help="https://NAME[:PORT]")
    parser.add_argument("--connect", metavar="ADDRESS", help="connect here instead of to the name's address")
    parser.add_argument("--trust", metavar="FILE", help="certificates to trust instead of the system's")
    options = parser.parse_args()
    parts = urlsplit(options.url)
    if parts.scheme != "https" or not parts.hostname:
        parser.error(f"{options.url!r} is not https://NAME[:PORT]")
    tls = ssl.create_default_context(cafile=options.trust)
    if options.trust:
        tls.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN  # the file may end below its root
    site = Site(parts.hostname, parts.port or 443, options.connect or parts.hostname, tls)
    try:
        page(site)
        sentinel(site)
        hello(handshake(site))
    except Broken as broken:
        print(f"smoke: {options.url}: {broken}", file=sys.stderr)
        return 1
    print(f"smoke: {options.url}: page, 426 by daphne, WebSocket and hello are well")
    return 0


if __name__ == "__main__":
    sys.exit(main())
