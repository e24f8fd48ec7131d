"""What clients may send, checked, and the shapes of our answers for the OpenAPI document.

Answers are the structs of chat.events: the same JSON as on the socket.
"""

from typing import Any, Literal
from uuid import uuid4

import msgspec
from rest_framework import serializers

from accounts.names import clean_name
from chat import events, limits
from chat.services.chats import Chat, Contact
from chat.services.invitations import HOURS, HOURS_AT_MOST, Invited
from chat.services.members import Members
from chat.services.people import People
from chat.services.rooms import RoomSummary


class RoomIn(serializers.Serializer[Any]):
    """An open room by its name, a private one by its title, a direct one by the other's username."""

    kind = serializers.ChoiceField(["open", "private", "direct"], default="open")
    name = serializers.CharField(max_length=limits.SLUG_CHARS, required=False)
    title = serializers.CharField(max_length=limits.TITLE_CHARS, required=False)
    topic = serializers.CharField(max_length=limits.TOPIC_CHARS, required=False, allow_blank=True, default="")
    username = serializers.CharField(max_length=150, required=False)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        needed = {"open": "name", "private": "title", "direct": "username"}[attrs["kind"]]
        if needed not in attrs:
            raise serializers.ValidationError({needed: "This field is required."})
        return attrs


class RoomPatchIn(serializers.Serializer[Any]):
    title = serializers.CharField(max_length=limits.TITLE_CHARS, required=False, allow_blank=True)
    topic = serializers.CharField(max_length=limits.TOPIC_CHARS, required=False, allow_blank=True)


class MembersIn(serializers.Serializer[Any]):
    state = serializers.ChoiceField(["joined", "kicked", "banned"], default="joined")
    after = serializers.IntegerField(default=0, min_value=0, max_value=2**53 - 1)


class RoleIn(serializers.Serializer[Any]):
    role = serializers.ChoiceField(["owner", "moderator", "member"])


class InvitationIn(serializers.Serializer[Any]):
    hours = serializers.IntegerField(default=HOURS, min_value=1, max_value=HOURS_AT_MOST)


class AcceptIn(serializers.Serializer[Any]):
    token = serializers.CharField(max_length=100)


class MemberIn(serializers.Serializer[Any]):
    username = serializers.CharField(max_length=150)


class MessageIn(serializers.Serializer[Any]):
    """`cid` is a UUID of the client's making: the same one again is the same message."""

    cid = serializers.UUIDField()
    body = serializers.CharField(trim_whitespace=False)
    reply_to = serializers.IntegerField(required=False, allow_null=True, default=None, min_value=1, max_value=2**53 - 1)


class EditIn(serializers.Serializer[Any]):
    body = serializers.CharField(trim_whitespace=False)
    rev = serializers.IntegerField(min_value=0, max_value=2**53 - 1)


class ReadIn(serializers.Serializer[Any]):
    seq = serializers.IntegerField(min_value=0, max_value=2**53 - 1)


class HistoryIn(serializers.Serializer[Any]):
    before = serializers.IntegerField(required=False, min_value=0, max_value=2**53 - 1)
    after = serializers.IntegerField(required=False, min_value=0, max_value=2**53 - 1)
    limit = serializers.IntegerField(default=limits.PAGE, min_value=1, max_value=limits.PAGE)


class LoginIn(serializers.Serializer[Any]):
    username = serializers.CharField(max_length=150)
    password = serializers.CharField(max_length=4096, trim_whitespace=False)


class RegisterIn(LoginIn):
    email = serializers.EmailField(required=False, allow_blank=True)


class GuestIn(serializers.Serializer[Any]):
    name = serializers.CharField(max_length=150, trim_whitespace=False)

    def validate_name(self, value: str) -> str:
        return clean_name(value)


class SaveMessageIn(serializers.Serializer[Any]):
    """`room` is needed where there are several. `cid` is a UUID of the client's making; it makes a retry safe."""

    message = serializers.CharField(trim_whitespace=False)
    room = serializers.CharField(max_length=limits.SLUG_CHARS, required=False, allow_blank=True, default="")
    cid = serializers.UUIDField(required=False, default=uuid4)


class QuotedIn(SaveMessageIn):
    """`user_name`: who said it, elsewhere."""

    user_name = serializers.CharField(max_length=150, trim_whitespace=False)

    def validate_user_name(self, value: str) -> str:
        return clean_name(value)


class RoomPostIn(serializers.Serializer[Any]):
    message = serializers.CharField(trim_whitespace=False)


class PeopleIn(serializers.Serializer[Any]):
    search = serializers.CharField(max_length=150, required=False, allow_blank=True, default="")
    page = serializers.IntegerField(default=1, min_value=1, max_value=2**31 - 1)


class ChatIn(serializers.Serializer[Any]):
    """Usernames of the two people; my own may be left out."""

    participants = serializers.ListField(child=serializers.CharField(max_length=150), max_length=2)


class ChatPatchIn(serializers.Serializer[Any]):
    """`participants` may be sent along, but not changed; `read` is the seq up to which I have read."""

    participants = serializers.ListField(child=serializers.CharField(max_length=150), max_length=2, required=False)
    read = serializers.IntegerField(min_value=0, max_value=2**53 - 1, required=False)


# --- answers


class Rooms(msgspec.Struct):
    rooms: list[RoomSummary]


class Page(msgspec.Struct):
    """Messages, oldest first, as the events that left them so."""

    events: list[events.Event]
    more: bool


class Unread(msgspec.Struct):
    unread: int


class Refusal(msgspec.Struct, omit_defaults=True):
    """Why nothing was changed."""

    code: str
    text: str
    retry_after: float | msgspec.UnsetType = msgspec.UNSET


class Refused(msgspec.Struct):
    error: Refusal


class Tokens(msgspec.Struct):
    """`refresh_token` gives the next pair, once, at /_allauth/app/v1/tokens/refresh."""

    access_token: str
    refresh_token: str
    username: str


class InvalidCredentials(msgspec.Struct):
    error: Literal["Invalid credentials"] = "Invalid credentials"


class RoomPosted(msgspec.Struct):
    """`username` is the name that others see."""

    username: str
    room: events.Slug = msgspec.field(name="roomId")


_ANSWERS = (
    Rooms,
    Page,
    Unread,
    Refused,
    events.RoomInfo,
    events.Message,
    events.Member,
    Tokens,
    InvalidCredentials,
    Chat,
    Contact,
    Members,
    Invited,
    RoomPosted,
    People,
)
_, COMPONENTS = msgspec.json.schema_components(_ANSWERS, ref_template="#/components/schemas/{name}")


def ref(answer: type) -> dict[str, str]:
    """The answer's place in the OpenAPI document."""
    return {"$ref": f"#/components/schemas/{answer.__name__}"}


def listed(answer: type) -> dict[str, Any]:
    """A list of such answers."""
    return {"type": "array", "items": ref(answer)}
