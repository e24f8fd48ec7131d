"""WebSocket frames (RFC 6455), as far as a client needs them: build one, split what came."""

from typing import NamedTuple

CONTINUATION, TEXT, BINARY, CLOSE, PING, PONG = 0x0, 0x1, 0x2, 0x8, 0x9, 0xA


class Frame(NamedTuple):
    """A control frame, or a whole message whose fragments are joined."""

    opcode: int
    payload: bytes

    @property
    def close_code(self) -> int:
        """Of a CLOSE frame; 1005 when it has none."""
        return int.from_bytes(self.payload[:2], "big") if len(self.payload) >= 2 else 1005


def build(payload: bytes, opcode: int = TEXT) -> bytes:
    """A client's frame. Its masking key is zero: a server unmasks it like any other, and we save the work."""
    size = len(payload)
    if size < 126:
        head = bytes((0x80 | opcode, 0x80 | size))
    elif size < 1 << 16:
        head = bytes((0x80 | opcode, 0x80 | 126)) + size.to_bytes(2, "big")
    else:
        head = bytes((0x80 | opcode, 0x80 | 127)) + size.to_bytes(8, "big")
    return head + b"\0\0\0\0" + payload


def split(data: bytes) -> tuple[list[Frame], int]:
    """The complete messages at the start of what a server sent, and how many bytes they take."""
    found: list[Frame] = []
    fragments: list[bytes] = []
    opcode_of_all = position = taken = sure = 0
    while (frame := _header(data, position)) is not None:
        opcode, final, start, end = frame
        if end > len(data):
            break
        position = end
        if opcode >= CLOSE:
            found.append(Frame(opcode, data[start:end]))
        else:
            opcode_of_all = opcode_of_all if fragments else opcode
            fragments.append(data[start:end])
            if final:
                found.append(Frame(opcode_of_all, b"".join(fragments)))
                fragments = []
        if not fragments:
            taken, sure = end, len(found)
    # A control frame between the fragments of an unfinished message is told together with that message.
    return found[:sure], taken


def _header(data: bytes, at: int) -> tuple[int, bool, int, int] | None:
    """Opcode, FIN, and where the payload starts and ends; None when the header is not complete."""
    if len(data) < at + 2:
        return None
    size, start = data[at + 1], at + 2
    if size & 0x80:
        raise ValueError("a server must not mask its frames")
    if size >= 126:
        start += 2 if size == 126 else 8
        if len(data) < start:
            return None
        size = int.from_bytes(data[at + 2 : start], "big")
    return data[at] & 0x0F, bool(data[at] & 0x80), start, start + size
