"""What a member sends to each contender, and how it recognizes a delivery. No I/O."""

import json
from uuid import uuid4

from loadtest.bench.message import JSON_TEMPLATE
from loadtest.core import bundled_chat_protocol
from loadtest.core.frames import BINARY, TEXT
from loadtest.core.program import OURS

ROOM = "bench"
CHAT_ROOM = "load-0000"  # the first room that `manage.py load_people` makes


class ChatProtocol:
    """Plain frames: a connected socket is a member, and a frame is a message. The subclasses differ from this.

    Attributes:
        subprotocol: offered in the handshake.
        opcode: of the frames that a member sends.
        is_ready_at_once: a socket is a member as soon as it is open.
        spans_frames: a message may start in one frame and end in a later one.
    """

    subprotocol = ""
    opcode = TEXT
    is_ready_at_once = True
    spans_frames = False

    def opening_frames(self, *, listens: bool) -> list[bytes]:
        """Return what a member sends right after the handshake. `listens`: the member wants the room's messages."""
        return []

    def is_ready(self, payload: bytes, *, listens: bool) -> bool:
        """Return whether this frame says that the socket is a member now."""
        return False

    def carries_messages(self, payload: bytes) -> bool:
        """Return whether this frame contains whole messages, and nothing that needs an answer."""
        return payload.startswith(b'{"message"')

    def build_reply(self, payload: bytes) -> bytes | None:
        """Return what the server expects in return for this frame, such as a pong; None if it expects nothing."""
        return None

    def announces_close(self, payload: bytes) -> bool:
        """Return whether this frame announces the close frame."""
        return False

    def is_error(self, payload: bytes) -> bool:
        """Return whether this frame says that the client did something wrong; the result shows it."""
        return False

    def build_publish(self, text: bytes) -> bytes:
        """Return the payload by which a member sends this text to the room."""
        return JSON_TEMPLATE % text


class NchanProtocol(ChatProtocol):
    """nchan: messages are published by HTTP POST on a connection of its own, as an application behind it would."""

    def build_publish(self, text: bytes) -> bytes:
        """Return the HTTP request, not a frame."""
        body = JSON_TEMPLATE % text
        return b"POST /publish/%s HTTP/1.1\r\nHost: localhost\r\nContent-Length: %d\r\n\r\n%s" % (
            ROOM.encode(),
            len(body),
            body,
        )


class SocketIOProtocol(ChatProtocol):
    """Engine.IO 4 and Socket.IO 5: one digit of each before the JSON."""

    is_ready_at_once = False

    def is_ready(self, payload: bytes, *, listens: bool) -> bool:
        """Return whether the server has confirmed the default namespace."""
        return payload.startswith(b"40")

    def carries_messages(self, payload: bytes) -> bool:
        """Return whether this is an event named `message`."""
        return payload.startswith(b'42["message"')

    def build_reply(self, payload: bytes) -> bytes | None:
        """Enter the default namespace when the engine is open; answer a ping with a pong."""
        if payload.startswith(b"0"):
            return b"40"
        return b"3" if payload == b"2" else None

    def build_publish(self, text: bytes) -> bytes:
        """Return an event named `message`."""
        return b'42["message",' + JSON_TEMPLATE % text + b"]"


class NatsProtocol(ChatProtocol):
    """NATS: lines of text, which may start and end anywhere in a frame."""

    opcode = BINARY
    is_ready_at_once = False
    spans_frames = True

    def opening_frames(self, *, listens: bool) -> list[bytes]:
        """Connect, subscribe, and ask for a pong, which says that the subscription stands."""
        subscribe = f"SUB {ROOM} 1\r\n" if listens else ""
        return [b'CONNECT {"verbose":false,"pedantic":false}\r\n' + subscribe.encode() + b"PING\r\n"]

    def is_ready(self, payload: bytes, *, listens: bool) -> bool:
        """Return whether the pong is there."""
        return b"PONG\r\n" in payload

    def carries_messages(self, payload: bytes) -> bool:
        """Return whether the frame starts and ends at the end of a line, without PING and PONG.

        A frame that continues a message does not start with MSG, because no message contains that word.
        """
        return (
            payload.startswith(b"MSG ")
            and payload.endswith(b"\r\n")
            and b"PING\r\n" not in payload
            and b"PONG\r\n" not in payload
        )

    def build_reply(self, payload: bytes) -> bytes | None:
        """Answer a ping with a pong."""
        return b"PONG\r\n" if b"PING\r\n" in payload else None

    def is_error(self, payload: bytes) -> bool:
        """Return whether this is an error line."""
        return payload.startswith(b"-ERR")

    def build_publish(self, text: bytes) -> bytes:
        """Return a PUB line and its payload."""
        body = JSON_TEMPLATE % text
        return b"PUB %s %d\r\n%s\r\n" % (ROOM.encode(), len(body), body)


class BundledChatProtocol(ChatProtocol):
    """The protocol of the chat that comes with the stack, on /ws/."""

    subprotocol = bundled_chat_protocol.SUBPROTOCOL
    is_ready_at_once = False

    def opening_frames(self, *, listens: bool) -> list[bytes]:
        """Say hello; join the room in order to listen."""
        hello = bundled_chat_protocol.build_command("hello", 1, client="bench")
        return [hello, bundled_chat_protocol.build_command("join", 2, room=CHAT_ROOM)] if listens else [hello]

    def is_ready(self, payload: bytes, *, listens: bool) -> bool:
        """Return whether the server has let the member join, or has welcomed a member that only sends."""
        return payload.startswith(b'{"type":"joined"' if listens else b'{"type":"welcome"')

    def carries_messages(self, payload: bytes) -> bool:
        """Return whether this is an `events` frame."""
        return payload.startswith(bundled_chat_protocol.EVENTS_PREFIX)

    def build_reply(self, payload: bytes) -> bytes | None:
        """Answer a ping with a pong."""
        if not payload.startswith(bundled_chat_protocol.PING_PREFIX):
            return None
        return bundled_chat_protocol.build_command("pong", n=json.loads(payload)["n"])

    def announces_close(self, payload: bytes) -> bool:
        """Return whether this is a `bye` frame."""
        return payload.startswith(b'{"type":"bye"')

    def is_error(self, payload: bytes) -> bool:
        """Return whether this is an `error` frame."""
        return payload.startswith(b'{"type":"error"')

    def build_publish(self, text: bytes) -> bytes:
        """Return a `send` command with a new idempotency key."""
        return bundled_chat_protocol.build_command("send", 3, room=CHAT_ROOM, cid=str(uuid4()), body=text.decode())


PROTOCOLS: dict[str, ChatProtocol] = {
    "plain": ChatProtocol(),
    "nchan": NchanProtocol(),
    "socketio": SocketIOProtocol(),
    "nats": NatsProtocol(),
    OURS: BundledChatProtocol(),
}
