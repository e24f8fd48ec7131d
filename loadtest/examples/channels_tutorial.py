"""The chat of the Channels tutorial, which has no sign-in, no acks and no counts: three small methods are enough.

    python -m loadtest fanout --user loadtest/examples/channels_tutorial.py:TutorialUser \
        --url http://localhost:8000 --rooms 5 --members 20 --rate 2

Without acks a message counts as said when it has left; each speaker's messages must reach everybody in the room in
their order. Who loses the line has missed what was said meanwhile: `storm` shows how much that is.
"""

import json
from urllib.parse import urlsplit

import msgspec

from loadtest.chat_user import ChatUser
from loadtest.oracle import Event


class Frame(msgspec.Struct):
    message: str


_decode = msgspec.json.Decoder(Frame).decode


class TutorialUser(ChatUser):
    abstract = True
    acks = False

    def enter(self) -> None:
        site = urlsplit(self.plan.url)
        scheme = "wss" if site.scheme == "https" else "ws"
        room = self.rooms[0].replace("-", "_")  # the tutorial's address takes \\w+
        self.open(f"{scheme}://{site.netloc}/ws/chat/{room}/", headers={"Origin": self.plan.url})

    def say(self, number: int, room: str, text: str) -> None:
        self.send(json.dumps({"message": text}).encode())

    @staticmethod
    def events_in(payload: bytes) -> list[Event] | None:
        return [Event(room="", place=None, text=_decode(payload).message)]
