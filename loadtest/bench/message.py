"""The one message that everybody delivers: numbered, stamped with the moment it was meant to be sent."""

import re

# As the Channels tutorial encodes it; the very bytes that every contender delivers, whatever it wraps around them.
# Parley alone delivers an event of its own instead, with the text inside.
JSON = b'{"message": "%s"}'
MARK = re.compile(rb"@(\d{8}) (\d{16}) ")
WORDS = b"The tide turns at nine; whoever comes, bring rope and a lamp. "
JSON_BYTES = 120
TEXT_BYTES = JSON_BYTES - len(JSON % b"")


def text(number: int, moment: int, size: int = TEXT_BYTES) -> bytes:
    """Message `number`, meant to leave at `moment` (nanoseconds of the client's clock), `size` bytes long."""
    head = b"@%08d %016d " % (number, moment)
    return (head + WORDS * (1 + size // len(WORDS)))[: max(size, len(head))]


def found_in(payload: bytes) -> list[tuple[int, int]]:
    """Number and moment of each message in a frame's payload, in order."""
    return [(int(number), int(moment)) for number, moment in MARK.findall(payload)]
