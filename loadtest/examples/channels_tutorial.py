"""The chat of the Channels tutorial. It has no sign-in, no acks and no sequence numbers, so three methods are enough.

    python -m loadtest fanout --user loadtest/examples/channels_tutorial.py:TutorialUser \
        --url http://localhost:8000 --rooms 5 --members 20 --rate 2

Without acks a message counts as accepted when it was sent, and each sender's messages must reach all members of the
room in order. A user that loses its connection misses what is sent meanwhile: `storm` shows how much that is.
"""

import json
from urllib.parse import urlsplit

import msgspec

from loadtest.core.oracle import Event
from loadtest.load.users.chat_user import ChatUser


class Frame(msgspec.Struct):
    """What the tutorial's consumer sends."""

    message: str


_decode = msgspec.json.Decoder(Frame).decode


class TutorialUser(ChatUser):
    """A user in one room."""

    abstract = True
    acks = False

    def join(self) -> None:
        """Connect: the path of the socket names the room."""
        site = urlsplit(self.plan.url)
        scheme = "wss" if site.scheme == "https" else "ws"
        room = self.rooms[0].replace("-", "_")  # the tutorial's route accepts \\w+
        self.open(f"{scheme}://{site.netloc}/ws/chat/{room}/", headers={"Origin": self.plan.url})

    def send_message(self, number: int, room: str, text: str) -> None:
        """Send a message."""
        self.send(json.dumps({"message": text}).encode())

    @staticmethod
    def decode_events(payload: bytes) -> list[Event] | None:
        """Return the message of a frame. Raises ValueError."""
        return [Event(room="", seq=None, text=_decode(payload).message)]
