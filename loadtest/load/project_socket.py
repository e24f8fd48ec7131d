"""The socket of any project, as its stack.toml describes it to the load test: a handshake and a message.

The command `load` writes these fields to a file, and `python -m loadtest --project FILE` reads it.
"""

import json
from dataclasses import dataclass, fields
from pathlib import Path

TEXT = "{text}"


@dataclass(frozen=True)
class ProjectSocket:
    """The socket that every user of the run opens.

    Attributes:
        path: of the address, with its query.
        message: what a user sends, with {text} in place of the text of a message; "": nothing is sent.
        subprotocol: that is offered; "": none.
        origin: the header Origin; "": the address of the site.
        cookie: the header Cookie; "": none.
    """

    path: str
    message: str = ""
    subprotocol: str = ""
    origin: str = ""
    cookie: str = ""

    def build_message(self, text: str) -> bytes:
        """Return the frame's payload for a text, which has no character that JSON would escape."""
        return self.message.replace(TEXT, text).encode()

    @classmethod
    def from_file(cls, path: Path) -> "ProjectSocket":
        """Read the fields from a JSON file.

        Raises:
            ValueError: the file is something else; the text is a sentence.
        """
        try:
            content = json.loads(path.read_text())
            found = cls(**{name: str(value) for name, value in content.items()})
        except (OSError, ValueError, TypeError, AttributeError) as error:
            names = ", ".join(field.name for field in fields(cls))
            raise ValueError(f"{path} has no JSON object with the fields {names}: {error}") from error
        if not found.path.startswith("/"):
            raise ValueError(f"{path}: the path {found.path!r} does not begin with a slash.")
        return found
