"""Walks a project's ASGI application: what is inside of what, down to the consumers, and repairs what no longer works.

An application is a tree: ProtocolTypeRouter, then middleware (an object or a function that holds another application),
then URLRouter, then consumers. Nothing says how middleware holds its inner application, so the walk looks at the
attributes of an object and at the variables that a function has captured.

What Channels 2 allowed and Channels 4 does not is replaced in place: a consumer class without as_asgi(), an application
that takes the scope first and returns an object that takes receive and send, and ASGI handlers that are classes.
"""

import inspect
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from types import FunctionType, MethodType
from typing import Any

from asgiref.sync import iscoroutinefunction
from channels.consumer import AsyncConsumer
from channels.routing import ChannelNameRouter, ProtocolTypeRouter, URLRouter
from django.core.handlers.asgi import ASGIHandler

Application = Callable[..., Any]
MAX_DEPTH = 40  # of middleware around middleware
IS_ADAPTER = "is_stack_adapter"  # the attribute of what a repair put around an application


@dataclass(frozen=True)
class Slot:
    """A place that holds an application: `replace` puts another one there."""

    application: Any
    replace: Callable[[Any], None]


def inner_slots(application: Any) -> Iterator[Slot]:
    """Yield the places inside of an application that hold its inner applications."""
    if hasattr(application, "consumer_class"):
        return  # the result of as_asgi()
    if isinstance(application, ProtocolTypeRouter | ChannelNameRouter):
        mapping = application.application_mapping
        for key in list(mapping):
            yield Slot(mapping[key], partial(mapping.__setitem__, key))
    elif isinstance(application, URLRouter):
        for route in application.routes:
            if route.callback is not None:
                yield Slot(route.callback, partial(setattr, route, "callback"))
    elif isinstance(application, partial):
        for argument in (application.func, *application.args, *application.keywords.values()):
            if is_application(argument):
                yield Slot(argument, _refuse)
    elif isinstance(application, MethodType):
        yield Slot(application.__self__, _refuse)
    elif isinstance(application, FunctionType):
        for cell in application.__closure__ or ():
            if _is_filled(cell) and is_application(cell.cell_contents):
                yield Slot(cell.cell_contents, partial(setattr, cell, "cell_contents"))
    elif not isinstance(application, type | AsyncConsumer | ASGIHandler):
        for name, value in list(getattr(application, "__dict__", {}).items()):
            if is_application(value):
                yield Slot(value, partial(setattr, application, name))


def _is_filled(cell: Any) -> bool:
    try:
        cell.cell_contents  # noqa: B018  an empty cell raises
    except ValueError:
        return False
    return True


def _refuse(replacement: Any) -> None:
    """Leave a place as it is that cannot be changed."""


def is_application(value: Any) -> bool:
    """Whether a value looks like an ASGI application: a known class, or a callable with the right arguments."""
    if isinstance(value, ProtocolTypeRouter | ChannelNameRouter | URLRouter | ASGIHandler):
        return True
    if isinstance(value, type):
        return is_consumer_class(value) or issubclass(value, ASGIHandler) or takes_scope_alone(value)
    if hasattr(value, "consumer_class"):
        return True
    if isinstance(value, partial):
        return is_application(value.func) or any(is_application(argument) for argument in value.args)
    if not callable(value):
        return False
    return argument_count(value) == 3 or takes_scope_alone(value)


def is_consumer_class(value: Any) -> bool:
    """Whether a value is a class of consumers."""
    return isinstance(value, type) and issubclass(value, AsyncConsumer)


def argument_count(value: Any) -> int:
    """Return how many arguments a callable needs; -1 where that is not known."""
    try:
        parameters = inspect.signature(value).parameters.values()
    except (TypeError, ValueError):
        return -1
    kinds = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    return sum(1 for parameter in parameters if parameter.kind in kinds and parameter.default is parameter.empty)


def takes_scope_alone(value: Any) -> bool:
    """Whether it is an application in the style of Channels 2: called with the scope, it returns the real one.

    A function or an object must hold another callable, as middleware does: a helper may take a scope as well.
    """
    if isinstance(value, AsyncConsumer) or is_consumer_class(value) or iscoroutinefunction(value):
        return False
    if not isinstance(value, type):
        if iscoroutinefunction(getattr(value, "__call__", None)):  # noqa: B004  its kind is asked for
            return False
        cells = getattr(value, "__closure__", None) or ()
        held = [cell.cell_contents for cell in cells if _is_filled(cell)]
        held += getattr(value, "__dict__", {}).values()
        if not any(callable(one) for one in held):
            return False
    try:
        return list(inspect.signature(value).parameters) == ["scope"]
    except (TypeError, ValueError):
        return False


def find_all(application: Any, kind: type | tuple[type, ...]) -> list[Any]:
    """Return every application of this class inside of an application, itself included."""
    found: list[Any] = []
    seen: set[int] = set()

    def walk(current: Any, depth: int) -> None:
        if id(current) in seen or depth > MAX_DEPTH:
            return
        seen.add(id(current))
        if isinstance(current, kind):
            found.append(current)
        for slot in inner_slots(current):
            walk(slot.application, depth + 1)

    walk(application, 0)
    return found


# --- Repairs


def mend(application: Any) -> tuple[Any, list[str]]:
    """Replace what Channels 4 cannot call, in place.

    Returns:
        The application, which is another object where it had to be replaced itself, and a sentence for each repair.
    """
    repairs: list[str] = []
    seen: set[int] = set()

    def visit(current: Any, depth: int) -> Any:
        if depth > MAX_DEPTH or getattr(current, IS_ADAPTER, False):
            return current
        mended, sentence = _mended(current)
        if sentence:
            repairs.append(sentence)
        if id(current) in seen:
            return mended
        seen.add(id(current))
        is_old = takes_scope_alone(current)
        for slot in list(inner_slots(current)):
            inner = visit(slot.application, depth + 1)
            if is_old:
                inner = _scope_first(inner)
            if inner is not slot.application:
                slot.replace(inner)
        return mended

    return visit(application, 0), repairs


def _mended(application: Any) -> tuple[Any, str]:
    """Return what Channels 4 can call, and what was done; "" where nothing was."""
    if is_consumer_class(application):
        return _consumer_application(application), f"{_name(application)} is used without as_asgi()."
    if isinstance(application, type) and issubclass(application, ASGIHandler):
        return application(), f"{_name(application)} is used as a class."
    if takes_scope_alone(application):
        return _scope_and_more(application), f"{_name(application)} takes the scope alone, as in Channels 2."
    return application, ""


def _name(application: Any) -> str:
    kind = application if isinstance(application, type | FunctionType) else type(application)
    return f"{kind.__module__}.{kind.__qualname__}"


def _consumer_application(consumer_class: type[AsyncConsumer]) -> Application:
    """Return the ASGI application of a consumer class; also of one whose __init__ takes the scope, as in Channels 2."""
    try:
        inspect.signature(consumer_class).bind()
    except TypeError:
        pass
    else:
        application: Application = consumer_class.as_asgi()
        return application

    async def with_scope(scope: Any, receive: Any, send: Any) -> None:
        await consumer_class(scope)(scope, receive, send)

    vars(with_scope)["consumer_class"] = consumer_class
    return with_scope


def _scope_and_more(application: Application) -> Application:
    """Return an application of today for one that takes the scope first."""

    async def single(scope: Any, receive: Any, send: Any) -> None:
        await application(scope)(receive, send)

    setattr(single, IS_ADAPTER, True)
    return single


def _scope_first(application: Application) -> Application:
    """Return what an application that takes the scope first can call: the reverse of _scope_and_more."""

    def double(scope: Any) -> Application:
        async def with_scope(receive: Any, send: Any) -> None:
            await application(scope, receive, send)

        return with_scope

    return double
