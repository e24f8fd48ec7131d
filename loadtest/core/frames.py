"""WebSocket frames (RFC 6455, section 5) as a client needs them: build one, parse what a server sent. No I/O."""

from typing import NamedTuple

CONTINUATION, TEXT, BINARY, CLOSE, PING, PONG = 0x0, 0x1, 0x2, 0x8, 0x9, 0xA
NO_CLOSE_CODE = 1005  # RFC 6455, section 7.4.1: the close frame had no code
ABNORMAL_CLOSE_CODE = 1006  # the connection ended without a close frame


class Frame(NamedTuple):
    """A control frame, or a whole message whose fragments are joined."""

    opcode: int
    payload: bytes

    @property
    def close_code(self) -> int:
        """The code of a CLOSE frame; 1005 when it has none."""
        return int.from_bytes(self.payload[:2], "big") if len(self.payload) >= 2 else NO_CLOSE_CODE

    @property
    def close_reason(self) -> str:
        """The text after the code of a CLOSE frame."""
        return self.payload[2:].decode(errors="replace")


def build_frame(payload: bytes, opcode: int = TEXT) -> bytes:
    """Return a client's frame with this payload.

    The masking key is zero: a server unmasks such a frame like any other, and the client saves the work.
    """
    size = len(payload)
    if size < 126:
        head = bytes((0x80 | opcode, 0x80 | size))
    elif size < 1 << 16:
        head = bytes((0x80 | opcode, 0x80 | 126)) + size.to_bytes(2, "big")
    else:
        head = bytes((0x80 | opcode, 0x80 | 127)) + size.to_bytes(8, "big")
    return head + b"\0\0\0\0" + payload


def parse_frames(data: bytes) -> tuple[list[Frame], int]:
    """Parse the complete messages at the start of what a server sent.

    Returns:
        The frames in their order, and how many bytes of `data` they take. The rest is the start of a message that has
        not arrived completely. A control frame between the fragments of such a message is returned with that message.

    Raises:
        ValueError: a frame is masked, which a server must not do (RFC 6455, section 5.1).
    """
    parsed: list[Frame] = []
    fragments: list[bytes] = []
    message_opcode = position = consumed = complete = 0
    while (frame := _parse_header(data, position)) is not None:
        opcode, is_final, start, end = frame
        if end > len(data):
            break
        position = end
        if opcode >= CLOSE:
            parsed.append(Frame(opcode, data[start:end]))
        else:
            message_opcode = message_opcode if fragments else opcode
            fragments.append(data[start:end])
            if is_final:
                parsed.append(Frame(message_opcode, b"".join(fragments)))
                fragments = []
        if not fragments:
            consumed, complete = end, len(parsed)
    return parsed[:complete], consumed


def _parse_header(data: bytes, at: int) -> tuple[int, bool, int, int] | None:
    """Return opcode, FIN, and where the payload starts and ends; None when the header is not complete."""
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
