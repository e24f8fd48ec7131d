"""Refusals that users are meant to see: a public code, a sentence, and the HTTP status that says the same."""


class ChatError(Exception):
    """An expected refusal; nothing was changed. Anything else that is raised is our bug."""

    code = "invalid"
    status = 400
    text = "That did not make sense."

    def __init__(self, text: str | None = None) -> None:
        self.text = text or self.text
        super().__init__(self.text)


class RoomNotFound(ChatError):
    """The room is absent, or not for you: the same answer."""

    code = "not_found"
    status = 404
    text = "There is no such room, or you are not in it."


class MessageNotFound(ChatError):
    """The message is absent, or in a room that is not for you, or not yours: the same answer."""

    code = "not_found"
    status = 404
    text = "There is no such message of yours."


class BadMessage(ChatError):
    code = "bad_message"
    text = "A message has between 1 and 4,000 characters."


class BadName(ChatError):
    code = "bad_name"
    text = "A room's name has letters, digits, hyphens and underscores, 64 at most, and begins with a letter or digit."


class Conflict(ChatError):
    code = "conflict"
    status = 409
    text = "It has changed in the meantime."
