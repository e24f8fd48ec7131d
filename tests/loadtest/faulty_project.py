"""The sockets of a project that is no chat of ours, with a fault in one of so many deliveries."""

import http
import json

from websockets.asyncio.server import ServerConnection, broadcast
from websockets.exceptions import ConnectionClosed
from websockets.http11 import Request, Response

from loadtest.core.message_tag import MessageTag, MessageTagger
from tests.loadtest.local_server import LocalServer

PATH = "/feed/7/?lang=pt"
SUBPROTOCOL, ORIGIN, COOKIE = "feed.v2", "https://pages.example.org", "sessionid=a b; theme=dark"
YESTERDAYS = MessageTagger("yesterday", 60).build_text(MessageTag(1, 2, 3))


class FaultyProject(LocalServer):
    """Sends each text as HTML to all connections. `made` counts how often the fault was made.

    A handshake needs PATH, SUBPROTOCOL, ORIGIN and COOKIE; any other is refused with 403.
    """

    subprotocol = SUBPROTOCOL

    def __init__(self, fault: str, every: int = 100) -> None:
        self.fault, self.every = fault, every
        self.connections: list[ServerConnection] = []
        self.deliveries = self.made = 0

    def check_request(self, connection: ServerConnection, request: Request) -> Response | None:
        sent = (request.path, request.headers.get("Origin"), request.headers.get("Cookie"))
        offered = request.headers.get("Sec-WebSocket-Protocol")
        if sent == (PATH, ORIGIN, COOKIE) and offered == SUBPROTOCOL and self.fault != "refuse":
            return None
        return connection.respond(http.HTTPStatus.FORBIDDEN, "not for you\n")

    async def handle(self, connection: ServerConnection) -> None:
        await connection.send(json.dumps({"greeting": "Welcome", "older": [YESTERDAYS, "Hello"]}))
        self.connections.append(connection)
        try:
            async for payload in connection:
                if self.fault in ("close", "expel") and self.happens():
                    await connection.close(1011 if self.fault == "close" else 4403, "enough")
                    break
                self.deliver(json.dumps({"kind": "post", "html": f"<p>{json.loads(payload)['say']}</p>"}))
        except ConnectionClosed:
            pass
        self.connections.remove(connection)

    def deliver(self, frame: str) -> None:
        for connection in list(self.connections):
            if self.fault in ("drop", "repeat", "change") and self.happens():
                wrong = {"drop": [], "repeat": [frame, frame], "change": [frame.replace("tide", "TIDE")]}
                for each in wrong[self.fault]:
                    broadcast([connection], each)
            else:
                broadcast([connection], frame)

    def happens(self) -> bool:
        self.deliveries += 1
        if self.deliveries % self.every:
            return False
        self.made += 1
        return True
