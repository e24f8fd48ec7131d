"""Refusals for users: a public code, a text, and the HTTP status with the same meaning."""

from chat import limits


class ChatError(Exception):
    """An expected refusal; nothing was changed. Any other exception is an error of the site itself."""

    code = "invalid"
    status = 400
    text = "This request is not valid."

    def __init__(self, text: str | None = None) -> None:
        self.text = text or self.text
        super().__init__(self.text)


class RoomNotFound(ChatError):
    """The room does not exist, or the user has no access to it: the answer is the same."""

    code = "not_found"
    status = 404
    text = "There is no such room, or you are not in it."


class MemberNotFound(ChatError):
    """The user is not in the room, or has a role that the caller must not change: the answer is the same."""

    code = "not_found"
    status = 404
    text = "There is no such member."


class InvitationNotFound(ChatError):
    """The invitation never existed, has expired, was revoked, or the user is banned: the answer is the same."""

    code = "not_found"
    status = 404
    text = "This invitation is not valid any more."


class IntegrationNotFound(ChatError):
    """No valid integration has this name."""

    code = "not_found"
    status = 404
    text = "There is no integration with this name."


class MessageNotFound(ChatError):
    """The message does not exist, or the user has no access to it, or must not change it: the answer is the same."""

    code = "not_found"
    status = 404
    text = "There is no such message, or it is not yours."


class BadMessage(ChatError):
    """The body is empty, longer than `most` characters, or no text; or the message that it answers is wrong."""

    code = "bad_message"

    def __init__(self, text: str | None = None, *, most: int = limits.BODY_CHARS) -> None:
        super().__init__(text or f"A message has between 1 and {most:,} characters.")


class BadName(ChatError):
    """A room cannot have this name, title or topic."""

    code = "bad_name"
    text = "A room name has 1 to 64 letters, digits, hyphens and underscores, and starts with a letter or digit."


class Conflict(ChatError):
    """The message changed since the revision that the client knows, or the cid was used in another room."""

    code = "conflict"
    status = 409
    text = "This was changed in the meantime."
