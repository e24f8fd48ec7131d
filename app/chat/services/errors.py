"""Refusals that users are meant to see: a public code, a sentence, and the HTTP status that says the same."""

from chat import limits


class ChatError(Exception):
    """An expected refusal; nothing was changed. Anything else that is raised is our bug."""

    code = "invalid"
    status = 400
    text = "This request is not valid."

    def __init__(self, text: str | None = None) -> None:
        self.text = text or self.text
        super().__init__(self.text)


class RoomNotFound(ChatError):
    """The room is absent, or not for you: the same answer."""

    code = "not_found"
    status = 404
    text = "There is no such room, or you are not in it."


class MemberNotFound(ChatError):
    """Nobody of that number is in the room, or you have no say over them: the same answer."""

    code = "not_found"
    status = 404
    text = "There is no such member."


class InvitationNotFound(ChatError):
    """Never made, expired, revoked, or its room is closed to you: the same answer."""

    code = "not_found"
    status = 404
    text = "This invitation is not valid any more."


class IntegrationNotFound(ChatError):
    code = "not_found"
    status = 404
    text = "There is no integration with this name."


class MessageNotFound(ChatError):
    """The message is absent, or in a room that is not for you, or not yours: the same answer."""

    code = "not_found"
    status = 404
    text = "There is no such message, or it is not yours."


class BadMessage(ChatError):
    code = "bad_message"

    def __init__(self, text: str | None = None, *, most: int = limits.BODY_CHARS) -> None:
        super().__init__(text or f"A message has between 1 and {most:,} characters.")


class BadName(ChatError):
    code = "bad_name"
    text = "A room name has 1 to 64 letters, digits, hyphens and underscores, and starts with a letter or digit."


class Conflict(ChatError):
    code = "conflict"
    status = 409
    text = "This was changed in the meantime."
