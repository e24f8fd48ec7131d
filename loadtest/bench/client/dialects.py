"""What a member says to each contender, and how it tells a delivery from other frames. No I/O."""

import json
from uuid import uuid4

from loadtest import frames
from loadtest.bench import message

ROOM = "bench"


class Dialect:
    """Bare frames: whoever is connected is a member, and a frame is a message. The others differ from this."""

    subprotocol = ""
    opcode = frames.TEXT
    ready_at_once = True  # a member from the moment of the handshake
    streams = False  # a message may begin in one frame and end in the next

    def opening(self, *, listens: bool) -> list[bytes]:
        """What is said right after the handshake. listens: the member wants the room's messages."""
        return []

    def is_ready(self, payload: bytes, *, listens: bool) -> bool:
        """Whether this frame says that the member is in."""
        return False

    def carries(self, payload: bytes) -> bool:
        """Whether this frame delivers messages."""
        return payload.startswith(b'{"message"')

    def answer(self, payload: bytes) -> bytes | None:
        """What the server wants to hear now: pongs, mostly."""
        return None

    def says_goodbye(self, payload: bytes) -> bool:
        """Whether this frame announces the close frame."""
        return False

    def complains(self, payload: bytes) -> bool:
        """Whether this frame says that we did something wrong; the result shows it."""
        return False

    def publish(self, text: bytes) -> bytes:
        """The payload by which a member says this to the room."""
        return message.JSON % text


class Posted(Dialect):
    """nchan: published by HTTP POST on a connection of its own, as an application behind it would."""

    def publish(self, text: bytes) -> bytes:
        """The request, not a frame."""
        body = message.JSON % text
        return b"POST /publish/%s HTTP/1.1\r\nHost: localhost\r\nContent-Length: %d\r\n\r\n%s" % (
            ROOM.encode(),
            len(body),
            body,
        )


class SocketIO(Dialect):
    """Engine.IO 4 and Socket.IO 5 by hand: one digit of each before the JSON."""

    ready_at_once = False

    def is_ready(self, payload: bytes, *, listens: bool) -> bool:
        return payload.startswith(b"40")

    def carries(self, payload: bytes) -> bool:
        return payload.startswith(b'42["message"')

    def answer(self, payload: bytes) -> bytes | None:
        if payload.startswith(b"0"):  # the engine is open: enter the default namespace
            return b"40"
        return b"3" if payload == b"2" else None

    def publish(self, text: bytes) -> bytes:
        return b'42["message",' + message.JSON % text + b"]"


class Nats(Dialect):
    """NATS' own protocol, whose lines do not care where a frame ends."""

    opcode = frames.BINARY
    ready_at_once = False
    streams = True

    def opening(self, *, listens: bool) -> list[bytes]:
        subscribe = f"SUB {ROOM} 1\r\n" if listens else ""
        return [b'CONNECT {"verbose":false,"pedantic":false}\r\n' + subscribe.encode() + b"PING\r\n"]

    def is_ready(self, payload: bytes, *, listens: bool) -> bool:
        return b"PONG\r\n" in payload

    def carries(self, payload: bytes) -> bool:
        return True  # any frame may hold the end of a message

    def answer(self, payload: bytes) -> bytes | None:
        return b"PONG\r\n" if b"PING\r\n" in payload else None

    def complains(self, payload: bytes) -> bool:
        return payload.startswith(b"-ERR")

    def publish(self, text: bytes) -> bytes:
        body = message.JSON % text
        return b"PUB %s %d\r\n%s\r\n" % (ROOM.encode(), len(body), body)


class Parley(Dialect):
    """parley.v1 on /ws/."""

    subprotocol = "parley.v1"
    ready_at_once = False

    def opening(self, *, listens: bool) -> list[bytes]:
        hello, join = {"type": "hello", "id": 1, "client": "bench"}, {"type": "join", "id": 2, "room": ROOM}
        return [json.dumps(command).encode() for command in ([hello, join] if listens else [hello])]

    def is_ready(self, payload: bytes, *, listens: bool) -> bool:
        return payload.startswith(b'{"type":"joined"' if listens else b'{"type":"welcome"')

    def carries(self, payload: bytes) -> bool:
        return payload.startswith(b'{"type":"events"')

    def answer(self, payload: bytes) -> bytes | None:
        if not payload.startswith(b'{"type":"ping"'):
            return None
        return json.dumps({"type": "pong", "n": json.loads(payload)["n"]}).encode()

    def says_goodbye(self, payload: bytes) -> bool:
        return payload.startswith(b'{"type":"bye"')

    def complains(self, payload: bytes) -> bool:
        return payload.startswith(b'{"type":"error"')

    def publish(self, text: bytes) -> bytes:
        command = {"type": "send", "id": 3, "room": ROOM, "cid": str(uuid4()), "body": text.decode()}
        return json.dumps(command).encode()


DIALECTS: dict[str, Dialect] = {
    "bare": Dialect(),
    "posted": Posted(),
    "socketio": SocketIO(),
    "nats": Nats(),
    "parley": Parley(),
}
