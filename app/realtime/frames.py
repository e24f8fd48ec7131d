"""A WebSocket text frame, encoded once for however many sockets it goes to (RFC 6455, section 5.2)."""

import struct

TEXT = 0x81  # one whole text frame; what a server sends is not masked


class Frame:
    """A text, and the bytes that carry it."""

    __slots__ = ("text", "wire")

    def __init__(self, text: str) -> None:
        self.text = text
        self.wire = on_the_wire(text.encode())


def on_the_wire(payload: bytes) -> bytes:
    """The frame around a UTF-8 payload."""
    size = len(payload)
    if size < 126:
        return bytes((TEXT, size)) + payload
    if size < 65536:
        return struct.pack("!BBH", TEXT, 126, size) + payload
    return struct.pack("!BBQ", TEXT, 127, size) + payload
