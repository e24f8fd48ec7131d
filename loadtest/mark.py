"""What makes a message ours: who said it, its number, the moment it was meant to leave, and a checksum over all of it.

A message that no user of this run has said cannot carry a right checksum, so a phantom is known at once, on any worker.
"""

import re
from typing import NamedTuple
from zlib import crc32

HEAD = re.compile(r"@(\d{6,})\.(\d{8,}) (\d{16,}) ([0-9a-f]{8}) ")
WORDS = "The tide turns at nine; whoever comes, bring rope and a lamp. "
CHARACTERS = 120  # of a message, if nothing else is asked for


class Mark(NamedTuple):
    """Of one message."""

    user: int
    number: int  # counts the user's messages, from 0
    moment: int  # nanoseconds of the run's clock


class Marker:
    """Writes and checks the messages of one run. `key` is the run's own."""

    def __init__(self, key: str, characters: int = CHARACTERS) -> None:
        self.key = key.encode()
        self.words = WORDS * (1 + characters // len(WORDS))
        self.characters = characters

    def text(self, mark: Mark) -> str:
        """The message, `characters` long or as long as its mark needs."""
        head = f"@{mark.user:06d}.{mark.number:08d} {mark.moment:016d} "
        rest = self.words[: max(0, self.characters - len(head) - 10)] + "."  # servers strip blanks at an end
        return f"{head}{self._sum(head, rest):08x} {rest}"

    def read(self, text: str) -> Mark | None:
        """The mark of a message; None when it is not ours or not as it was said."""
        if not (found := HEAD.match(text)):
            return None
        if int(found[4], 16) != self._sum(text[: found.start(4)], text[found.end() :]):
            return None
        return Mark(int(found[1]), int(found[2]), int(found[3]))

    def _sum(self, head: str, rest: str) -> int:
        return crc32(rest.encode(), crc32(head.encode(), crc32(self.key)))
