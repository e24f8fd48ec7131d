"""A user of any project: opens the socket that `Plan.project` describes, and recognizes messages by their tags.

Nothing is known of the project's frames. A message is found by its tag, whatever stands around it in a frame: JSON,
HTML, a list of messages. What carries no valid tag of this run is passed over: a greeting, a page of older messages, a
message that the project has changed. A message that does not arrive as it was sent is therefore counted as lost.
"""

from urllib.parse import urlsplit

from loadtest.core.handshake import HandshakeRefused
from loadtest.core.oracle import Event
from loadtest.load.project_socket import ProjectSocket
from loadtest.load.users.chat_user import REASON_CHARACTERS, ChatUser

# A refusal with another 4xx status would be repeated; these mean that the site is busy (RFC 9110, RFC 6585).
BUSY_STATUSES = (408, 425, 429)
APPLICATION_CLOSE_CODES = range(4000, 5000)  # RFC 6455, section 7.4.2: the application itself closes


class ProjectUser(ChatUser):
    """A user of a project's socket: all users open the same path, and each is owed every message."""

    abstract = True
    acks = False

    @property
    def socket(self) -> ProjectSocket:
        """The project's socket."""
        assert self.plan.project
        return self.plan.project

    def join(self) -> None:
        """Connect. Raises OSError, HandshakeRefused or ConnectionClosed."""
        site, socket = urlsplit(self.plan.url), self.socket
        headers = {"Origin": socket.origin or self.plan.url}
        if socket.cookie:
            headers["Cookie"] = socket.cookie
        self.open(
            f"{'wss' if site.scheme == 'https' else 'ws'}://{site.netloc}{socket.path}",
            headers=headers,
            subprotocols=(socket.subprotocol,) if socket.subprotocol else (),
        )

    def send_message(self, number: int, room: str, text: str) -> None:
        """Send a message. Raises ConnectionClosed."""
        self.send(self.socket.build_message(text))

    @staticmethod
    def decode_events(payload: bytes) -> list[Event] | None:
        """Return the messages of this run in a frame."""
        tagger = ProjectUser.worker.tagger
        return [Event(room="", seq=None, text=tagger.build_text(tag)) for tag in tagger.find_tags(payload) if tag]

    def is_final(self, error: Exception) -> bool:
        """Return whether the site refuses the handshake itself, and is not merely busy."""
        return isinstance(error, HandshakeRefused) and 400 <= error.status < 500 and error.status not in BUSY_STATUSES

    def on_close(self, code: int, reason: str) -> None:
        """Count a close by the application as a refusal; reconnect after any other one."""
        if code in APPLICATION_CLOSE_CODES and self.is_joined:
            self.is_joined = False
            self.worker.joined -= 1
            self.worker.counters.closed[str(code)] += 1
            self.worker.counters.refused[f"closed with {code} {reason}".strip()[:REASON_CHARACTERS]] += 1
        else:
            super().on_close(code, reason)
