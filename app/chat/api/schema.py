"""The shapes of answers, and their part of the OpenAPI document. What clients send is in serializers.py.

Answers contain the structs of chat.events and of the services, so their JSON is the same as over the WebSocket. The
names of these classes are names in the OpenAPI document.
"""

from typing import Any, Literal

import msgspec
from drf_spectacular.utils import OpenApiResponse

from chat import events
from chat.services.chats import Chat, Contact
from chat.services.invitations import Invited
from chat.services.members import Members
from chat.services.people import People
from chat.services.rooms import RoomSummary


class Rooms(msgspec.Struct):
    """The user's rooms."""

    rooms: list[RoomSummary]


class Page(msgspec.Struct):
    """Messages, the oldest first, each as the event that changed it last; `more` says whether there are others."""

    events: list[events.Event]
    more: bool


class Unread(msgspec.Struct):
    """How many messages of others the user has not read."""

    unread: int


class Refusal(msgspec.Struct, omit_defaults=True):
    """Why nothing was changed."""

    code: str
    text: str
    retry_after: float | msgspec.UnsetType = msgspec.UNSET


class Refused(msgspec.Struct):
    """The answer to every refused request."""

    error: Refusal


class Tokens(msgspec.Struct):
    """`refresh_token` can be exchanged once for the next pair, at /_allauth/app/v1/tokens/refresh."""

    access_token: str
    refresh_token: str
    username: str


class InvalidCredentials(msgspec.Struct):
    """The answer to a wrong username or password."""

    error: Literal["Invalid credentials"] = "Invalid credentials"


class RoomPosted(msgspec.Struct):
    """The answer to a message of the Angular guide; `username` is the author's display name."""

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
    """Return the reference to an answer's schema in the OpenAPI document."""
    return {"$ref": f"#/components/schemas/{answer.__name__}"}


def list_of(answer: type) -> dict[str, Any]:
    """Return the schema of a list of such answers."""
    return {"type": "array", "items": ref(answer)}


def add_components(result: dict[str, Any], generator: Any, request: Any, public: bool) -> dict[str, Any]:
    """Add the schemas of answers to the document. A postprocessing hook of drf-spectacular."""
    result.setdefault("components", {}).setdefault("schemas", {}).update(COMPONENTS)
    return result


REFUSED = {"4XX": OpenApiResponse(ref(Refused), "Refused; nothing was changed.")}
