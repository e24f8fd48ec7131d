"""The socket routes of a project, found by walking its ASGI application.

python -m channels_stack.routes     prints them as a list of JSON objects
"""

import importlib
import itertools
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import msgspec
from channels.routing import ProtocolTypeRouter, URLRouter
from django.urls.exceptions import Resolver404
from django.utils.regex_helper import normalize

from channels_stack.asgi_application import MAX_DEPTH, inner_slots
from channels_stack.project import explain

# Values that parameters of routes mostly accept: a number, a name, a UUID, a date.
EXAMPLES = ("lobby", "1", "a", "00000000-0000-4000-8000-000000000000", "2026-01-31", "a-b", "a_b", "A", "0" * 32)
MAX_EXAMPLE_PARAMETERS = 3  # in whose combinations a path is looked for; with more, all have the same value


@dataclass(frozen=True)
class SocketRoute:
    """One address of WebSockets.

    A path of a route has a slash in front; the patterns are matched without it, as Channels does.
    """

    pattern: str
    """What the project wrote, from the outermost router to the innermost, such as ws/chat/<str:room>/."""
    regex: str
    """A regular expression for the path without its first slash."""
    consumer: str
    """module.class of the consumer; of the application, where it is no consumer."""
    has_parameters: bool
    example: str
    """A path that the route takes, such as /ws/chat/lobby/; "" where none was found."""
    patterns: tuple[Any, ...] = field(default=(), repr=False, compare=False)

    def matches(self, path: str) -> bool:
        """Whether Channels would send the path, with its first slash, to this route."""
        return matches_all(self.patterns, path)


@dataclass(frozen=True)
class RouteDescription:
    """A SocketRoute as JSON."""

    pattern: str
    regex: str
    consumer: str
    has_parameters: bool
    example: str


SOCKET_ROUTES: list[SocketRoute] = []  # of this process's project: entry.py fills it
# No project has an address like this; a route that takes it takes every address.
UNKNOWN_PATH = "/nothing-has-this-address-of-the-stack"


def is_socket_path(path: str) -> bool:
    """Whether a path is the address of a WebSocket. Routes that take every address do not count."""
    return any(route.matches(path) and not route.matches(UNKNOWN_PATH) for route in SOCKET_ROUTES)


def matches_all(patterns: tuple[Any, ...], path: str) -> bool:
    """Whether the patterns, one after the other, take the whole way that Channels goes with the path."""
    remaining = path.lstrip("/")
    for pattern in patterns:
        try:
            match = pattern.match(remaining)
        except Resolver404:
            return False
        if not match:
            return False
        remaining = match[0]
    return True


def find_routes(application: Any) -> list[SocketRoute]:
    """Return the socket routes of an ASGI application, in the order in which Channels tries them."""
    routes = [_describe(patterns, consumer) for patterns, consumer in _walk(_websocket_part(application), (), set(), 0)]
    return list({(route.regex, route.consumer): route for route in routes}.values())


def _websocket_part(application: Any) -> Any:
    """Return what serves WebSockets, when the outermost application divides by protocol; else the whole."""
    if isinstance(application, ProtocolTypeRouter):
        return application.application_mapping.get("websocket")
    for slot in inner_slots(application):
        if isinstance(slot.application, ProtocolTypeRouter):
            return slot.application.application_mapping.get("websocket")
    return application


def _walk(
    application: Any, patterns: tuple[Any, ...], seen: set[int], depth: int
) -> Iterator[tuple[tuple[Any, ...], Any]]:
    """Yield (patterns, consumer) for each end of the tree."""
    if application is None or id(application) in seen or depth > MAX_DEPTH:
        return
    seen = seen | {id(application)}  # on this way: two routes may lead to the same consumer
    if isinstance(application, URLRouter):
        for route in application.routes:
            yield from _walk(route.callback, (*patterns, route.pattern), seen, depth + 1)
    elif hasattr(application, "consumer_class"):
        yield patterns, application.consumer_class
    else:
        inner = [slot.application for slot in inner_slots(application)]
        found = [end for each in inner for end in _walk(each, patterns, seen, depth + 1)]
        # An application that holds no other one is an end itself, below a router.
        yield from found or ([(patterns, application)] if patterns else [])


def _describe(patterns: tuple[Any, ...], consumer: Any) -> SocketRoute:
    regexes = [pattern.regex.pattern for pattern in patterns]
    return SocketRoute(
        pattern="".join(str(pattern) for pattern in patterns),
        regex=_join(regexes),
        consumer=_consumer_name(consumer),
        has_parameters=any(pattern.regex.groups for pattern in patterns),
        example=find_example(patterns),
        patterns=patterns,
    )


def _consumer_name(consumer: Any) -> str:
    if not isinstance(consumer, type) and not hasattr(consumer, "__qualname__"):
        consumer = type(consumer)
    return f"{consumer.__module__}.{consumer.__qualname__}"


def _join(regexes: list[str]) -> str:
    """Return one regular expression for patterns that are matched one after the other."""
    if not regexes:
        return ""
    first, *others = regexes
    return first + "".join(re.sub(r"^\^", "", other) for other in others)


def find_example(patterns: tuple[Any, ...]) -> str:
    """Return a path that the patterns match, with its first slash; "" when none of the examples does."""
    if not patterns:
        return "/"
    for templates in itertools.product(*(normalize(pattern.regex.pattern) for pattern in patterns)):
        template = "".join(text for text, _ in templates)
        # Two routers may use the same name; the later one gets the value, too.
        names = list(dict.fromkeys(name for _, parameters in templates for name in parameters))
        for values in _combinations(len(names)):
            path = "/" + (template % dict(zip(names, values, strict=True))).lstrip("/")
            if matches_all(patterns, path):
                return path
    return ""


def _combinations(count: int) -> Iterator[tuple[str, ...]]:
    yield from ((value,) * count for value in EXAMPLES)
    if 1 < count <= MAX_EXAMPLE_PARAMETERS:
        yield from itertools.product(EXAMPLES, repeat=count)


def main() -> int:
    """Print the routes of the site's project. Returns the exit code."""
    try:
        site_application = importlib.import_module("channels_stack.asgi").application  # it sets Django up
    except Exception as error:  # whatever the project raises
        print(f"The ASGI application cannot be loaded: {explain(error)}", file=sys.stderr)
        return 1
    found = [
        RouteDescription(route.pattern, route.regex, route.consumer, route.has_parameters, route.example)
        for route in site_application.routes
    ]
    sys.stdout.write(msgspec.json.encode(found).decode() + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
