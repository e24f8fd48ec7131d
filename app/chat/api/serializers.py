"""What clients may send, and how it is validated. The shapes of answers are in schema.py.

The names of these classes are names in the OpenAPI document.
"""

from typing import Any
from uuid import uuid4

from rest_framework import serializers

from accounts.names import clean_name
from chat import limits
from chat.services.invitations import DEFAULT_HOURS, MAX_HOURS


class RoomIn(serializers.Serializer[Any]):
    """An open room by its name, a private one by its title, or a direct one by the other's username."""

    kind = serializers.ChoiceField(["open", "private", "direct"], default="open")
    name = serializers.CharField(max_length=limits.SLUG_CHARS, required=False)
    title = serializers.CharField(max_length=limits.TITLE_CHARS, required=False)
    topic = serializers.CharField(max_length=limits.TOPIC_CHARS, required=False, allow_blank=True, default="")
    username = serializers.CharField(max_length=150, required=False)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Require the field that the room's kind needs."""
        needed = {"open": "name", "private": "title", "direct": "username"}[attrs["kind"]]
        if needed not in attrs:
            raise serializers.ValidationError({needed: "This field is required."})
        return attrs


class RoomPatchIn(serializers.Serializer[Any]):
    """A room's new title or topic; what is left out stays."""

    title = serializers.CharField(max_length=limits.TITLE_CHARS, required=False, allow_blank=True)
    topic = serializers.CharField(max_length=limits.TOPIC_CHARS, required=False, allow_blank=True)


class MembersIn(serializers.Serializer[Any]):
    """Which memberships to list: by their state, and with user ids above `after`."""

    state = serializers.ChoiceField(["joined", "kicked", "banned"], default="joined")
    after = serializers.IntegerField(default=0, min_value=0, max_value=2**53 - 1)


class RoleIn(serializers.Serializer[Any]):
    """The role that a member gets."""

    role = serializers.ChoiceField(["owner", "moderator", "member"])


class InvitationIn(serializers.Serializer[Any]):
    """For how many hours an invitation is valid."""

    hours = serializers.IntegerField(default=DEFAULT_HOURS, min_value=1, max_value=MAX_HOURS)


class AcceptIn(serializers.Serializer[Any]):
    """The token of an invitation."""

    token = serializers.CharField(max_length=100)


class MemberIn(serializers.Serializer[Any]):
    """The user to add."""

    username = serializers.CharField(max_length=150)


class MessageIn(serializers.Serializer[Any]):
    """A new message. `cid` is a UUID that the client makes: the same one again means the same message."""

    cid = serializers.UUIDField()
    body = serializers.CharField(trim_whitespace=False)
    reply_to = serializers.IntegerField(required=False, allow_null=True, default=None, min_value=1, max_value=2**53 - 1)


class EditIn(serializers.Serializer[Any]):
    """The new body of a message; `rev` is the one that the client knows."""

    body = serializers.CharField(trim_whitespace=False)
    rev = serializers.IntegerField(min_value=0, max_value=2**53 - 1)


class ReadIn(serializers.Serializer[Any]):
    """The seq up to which the user has read."""

    seq = serializers.IntegerField(min_value=0, max_value=2**53 - 1)


class HistoryIn(serializers.Serializer[Any]):
    """Which page of messages: those with a seq below `before`, above `after`, or the newest."""

    before = serializers.IntegerField(required=False, min_value=0, max_value=2**53 - 1)
    after = serializers.IntegerField(required=False, min_value=0, max_value=2**53 - 1)
    limit = serializers.IntegerField(default=limits.PAGE, min_value=1, max_value=limits.PAGE)


class LoginIn(serializers.Serializer[Any]):
    """The credentials of an account."""

    username = serializers.CharField(max_length=150)
    password = serializers.CharField(max_length=4096, trim_whitespace=False)


class RegisterIn(LoginIn):
    """The credentials of a new account."""

    email = serializers.EmailField(required=False, allow_blank=True)


class GuestIn(serializers.Serializer[Any]):
    """The display name of a guest."""

    name = serializers.CharField(max_length=150, trim_whitespace=False)

    def validate_name(self, value: str) -> str:
        """Apply the rules for display names."""
        return clean_name(value)


class SaveMessageIn(serializers.Serializer[Any]):
    """A message for `room`, which is needed where there are several. `cid`, a UUID, makes a retry safe."""

    message = serializers.CharField(trim_whitespace=False)
    room = serializers.CharField(max_length=limits.SLUG_CHARS, required=False, allow_blank=True, default="")
    cid = serializers.UUIDField(required=False, default=uuid4)


class QuotedIn(SaveMessageIn):
    """A message that a program hands on; `user_name` is its author's name there."""

    user_name = serializers.CharField(max_length=150, trim_whitespace=False)

    def validate_user_name(self, value: str) -> str:
        """Apply the rules for display names."""
        return clean_name(value)


class RoomPostIn(serializers.Serializer[Any]):
    """A message as the Angular guide posts it."""

    message = serializers.CharField(trim_whitespace=False)


class PeopleIn(serializers.Serializer[Any]):
    """Which page of people, and a part of their names."""

    search = serializers.CharField(max_length=150, required=False, allow_blank=True, default="")
    page = serializers.IntegerField(default=1, min_value=1, max_value=2**31 - 1)


class ChatIn(serializers.Serializer[Any]):
    """The usernames of the two people; the user's own may be left out."""

    participants = serializers.ListField(child=serializers.CharField(max_length=150), max_length=2)


class ChatPatchIn(serializers.Serializer[Any]):
    """`participants` may be sent, but not changed; `read` is the seq up to which the user has read."""

    participants = serializers.ListField(child=serializers.CharField(max_length=150), max_length=2, required=False)
    read = serializers.IntegerField(min_value=0, max_value=2**53 - 1, required=False)
