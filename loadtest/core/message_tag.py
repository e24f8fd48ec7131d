"""The tag at the start of each test message: sender, number, the moment it was due, and a checksum of all of it.

A message that no user of this run has sent cannot carry a valid checksum, so any process recognizes a phantom at once.
"""

import re
from typing import NamedTuple
from zlib import crc32

PATTERN = re.compile(rb"@(\d{6,})\.(\d{8,}) (\d{16,}) ([0-9a-f]{8}) ")
FILLER = b"The tide turns at nine; bring a rope and a lamp, and wait at the harbour. "
DEFAULT_CHARACTERS = 120  # length of a message


class MessageTag(NamedTuple):
    """The identity of one message."""

    user: int
    number: int  # counts the messages of this user, from 0
    due_at: int  # nanoseconds of the run's clock


class MessageTagger:
    """Writes and verifies the messages of one run.

    Args:
        key: the run's own key; messages of other runs do not verify.
        characters: length of each message; a message is longer if its tag needs more.
    """

    def __init__(self, key: str, characters: int = DEFAULT_CHARACTERS) -> None:
        self.key = key.encode()
        self.characters = characters
        self._filler = FILLER * (1 + characters // len(FILLER))

    def build_text(self, tag: MessageTag) -> str:
        """Return the message with this tag. It is ASCII, and JSON leaves it as it is."""
        head = b"@%06d.%08d %016d " % tag
        rest = self._filler[: max(0, self.characters - len(head) - 10)] + b"."  # servers strip trailing blanks
        return b"".join((head, b"%08x " % self._checksum(head, rest), rest)).decode()

    def read_text(self, text: str) -> MessageTag | None:
        """Return the tag of a message; None if it is not of this run, or was changed on its way."""
        data = text.encode()
        return self._verify(data, found) if (found := PATTERN.match(data)) else None

    def find_tags(self, payload: bytes) -> list[MessageTag | None]:
        """Find the messages inside a frame's payload, whatever stands around them.

        Returns:
            One element for each message in its order: its tag, or None if its checksum is wrong.
        """
        tags = []
        for found in PATTERN.finditer(payload):
            text = payload[found.start() : found.start() + max(self.characters, found.end() - found.start() + 1)]
            tags.append(self.read_text(text.decode(errors="replace")))
        return tags

    def _verify(self, data: bytes, found: re.Match[bytes]) -> MessageTag | None:
        if int(found[4], 16) != self._checksum(data[: found.start(4)], data[found.end() :]):
            return None
        return MessageTag(int(found[1]), int(found[2]), int(found[3]))

    def _checksum(self, head: bytes, rest: bytes) -> int:
        return crc32(rest, crc32(head, crc32(self.key)))
