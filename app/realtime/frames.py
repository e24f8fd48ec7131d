"""WebSocket text frames (RFC 6455, section 5.2): one that goes to however many sockets, and those that came whole."""

import struct

TEXT = 0x81  # one whole text frame
MASKED = 0x80  # what a client sends is masked, what a server sends is not


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


def whole_text(data: bytes) -> tuple[bytes, bytes] | None:
    """If these bytes begin with one whole, masked text frame of less than 64 KiB: its UTF-8 payload, and the rest."""
    if len(data) < 6 or data[0] != TEXT:
        return None
    size, start = data[1] - MASKED, 6
    if size == 126:
        size, start = int.from_bytes(data[2:4]), 8
        if size < 126:
            return None  # not the shortest way to say it
    elif not 0 <= size < 126:
        return None
    end = start + size
    if len(data) < end:
        return None
    mask = (data[start - 4 : start] * (size // 4 + 1))[:size]
    payload = (int.from_bytes(data[start:end]) ^ int.from_bytes(mask)).to_bytes(size)
    try:
        payload.decode()
    except UnicodeDecodeError:
        return None
    return payload, data[end:]
