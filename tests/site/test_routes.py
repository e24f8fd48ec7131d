"""The socket routes of a project are found through routers and middleware of any form, each with a path that fits."""

import functools
from typing import Any

import pytest
from channels.auth import AuthMiddlewareStack
from channels.consumer import AsyncConsumer
from channels.routing import ProtocolTypeRouter, URLRouter
from django.core.handlers.asgi import ASGIHandler
from django.urls import path, re_path

from channels_stack.asgi_application import mend
from channels_stack.routes import find_routes


class Chat(AsyncConsumer):
    pass


chat = Chat.as_asgi()


def websocket(application: Any) -> ProtocolTypeRouter:
    return ProtocolTypeRouter({"websocket": application})


@pytest.mark.parametrize(
    ("route", "pattern", "has_parameters", "example"),
    [
        (re_path(r"ws/chat/(?P<room>\w+)/$", chat), r"ws/chat/(?P<room>\w+)/$", True, "/ws/chat/lobby/"),
        (re_path(r"^ws$", chat), "^ws$", False, "/ws"),
        (path("ws/<str:room>/", chat), "ws/<str:room>/", True, "/ws/lobby/"),
        (path("", chat), "", False, "/"),
        (path("chat_ws", chat), "chat_ws", False, "/chat_ws"),
        (re_path(r"^chat/stream/$", chat), "^chat/stream/$", False, "/chat/stream/"),
        (path("ws/game/<int:game>", chat), "ws/game/<int:game>", True, "/ws/game/1"),
        (path("ws/<uuid:room>/", chat), "ws/<uuid:room>/", True, "/ws/00000000-0000-4000-8000-000000000000/"),
        (re_path(r"^ws/(?P<room>[0-9]{4}-[0-9]{2}-[0-9]{2})/$", chat), None, True, "/ws/2026-01-31/"),
        (re_path(r"^ws/(\d+)/(\w+)/$", chat), None, True, "/ws/1/1/"),
        (re_path(r"^ws/(?P<a>[a-z]+)/(?P<b>\d+)/$", chat), None, True, "/ws/lobby/1/"),
        (re_path(r"^sockjs/", chat), "^sockjs/", False, "/sockjs/"),
        (re_path(r"^(?P<secret>x{7}y)/$", chat), None, True, ""),
    ],
)
def test_a_route_has_an_example_that_it_takes(route, pattern, has_parameters, example):
    (found,) = find_routes(websocket(URLRouter([route])))
    assert found.pattern == (str(route.pattern) if pattern is None else pattern)
    assert (found.has_parameters, found.example) == (has_parameters, example)
    assert found.consumer == f"{__name__}.Chat"
    assert not example or found.matches(example)
    assert not found.matches("/another/address/of/the/site")


def test_nested_routers_make_one_route():
    inner = URLRouter([path("<int:room>/", chat), re_path(r"^lobby/$", chat)])
    found = find_routes(websocket(URLRouter([path("ws/", inner), re_path(r"^old/", inner)])))
    assert [route.pattern for route in found] == ["ws/<int:room>/", "ws/^lobby/$", "^old/<int:room>/", "^old/^lobby/$"]
    assert [route.example for route in found] == ["/ws/1/", "/ws/lobby/", "/old/1/", "/old/lobby/"]


class Holder:
    """Middleware that names its inner application as it likes."""

    def __init__(self, anything: Any) -> None:
        self.anything = anything

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        await self.anything(scope, receive, send)


def closure(inner: Any) -> Any:
    async def middleware(scope: Any, receive: Any, send: Any) -> None:
        await inner(scope, receive, send)

    return middleware


async def with_option(inner: Any, scope: Any, receive: Any, send: Any) -> None:
    await inner(scope, receive, send)


@pytest.mark.parametrize(
    "wrap",
    [Holder, closure, functools.partial(functools.partial, with_option), AuthMiddlewareStack, lambda inner: inner],
)
def test_the_walk_passes_middleware_of_every_form(wrap):
    router = URLRouter([path("ws/", wrap(chat))])
    for application in (websocket(wrap(router)), wrap(websocket(router)), wrap(router)):
        assert [route.pattern for route in find_routes(application)] == ["ws/"]


def test_a_socket_without_a_router_takes_every_path():
    (found,) = find_routes(websocket(closure(chat)))
    assert (found.pattern, found.example) == ("", "/")
    assert found.matches("/anything")


def test_a_project_without_sockets_has_no_routes():
    assert find_routes(ProtocolTypeRouter({"http": ASGIHandler()})) == []
    assert find_routes(None) == []


def test_an_application_that_holds_itself_ends_the_walk():
    holder = Holder(None)
    holder.anything = closure(holder)
    assert find_routes(websocket(holder)) == []
    assert mend(holder) == (holder, [])


# --- Repairs


async def serve(application: Any, path: str = "/ws/") -> list[Any]:
    """Serve one scope and return what the application sent."""
    sent: list[Any] = []

    async def receive() -> dict[str, str]:
        return {"type": "websocket.connect"}

    async def send(message: Any) -> None:
        sent.append(message)

    await application({"type": "websocket", "path": path, "user": "alice"}, receive, send)
    return sent


class Greeter(AsyncConsumer):
    """A consumer that sends one message and ends."""

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        await send(scope["user"])


class GreeterOfChannels2(AsyncConsumer):
    def __init__(self, scope: Any) -> None:
        self.name = scope["user"].upper()

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        await send(self.name)


class BareOfChannels2:
    """An application, not a consumer, of Channels 2."""

    def __init__(self, scope: Any) -> None:
        self.scope = scope

    async def __call__(self, receive: Any, send: Any) -> None:
        await send(self.scope["user"])


class InstanceMiddleware:
    """Middleware of Channels 2 in the form of its documentation: an object for each connection."""

    def __init__(self, inner: Any) -> None:
        self.inner = inner

    def __call__(self, scope: Any) -> Any:
        return MiddlewareInstance(scope, self)


class MiddlewareInstance:
    def __init__(self, scope: Any, middleware: InstanceMiddleware) -> None:
        self.scope = dict(scope, user=f"{scope['user']} of the middleware")
        self.inner = middleware.inner

    async def __call__(self, receive: Any, send: Any) -> None:
        await self.inner(self.scope)(receive, send)


@pytest.mark.parametrize(
    ("consumer", "expected"), [(Greeter, "alice"), (GreeterOfChannels2, "ALICE"), (BareOfChannels2, "alice")]
)
async def test_a_class_is_served(consumer, expected):
    application, repairs = mend(websocket(URLRouter([path("ws/", consumer)])))
    assert await serve(application) == [expected]
    assert len(repairs) == 1
    assert mend(application) == (application, []), "a second time there is nothing to do"


@pytest.mark.parametrize("outer", [closure, lambda inner: inner, InstanceMiddleware])
async def test_middleware_of_channels_2_is_served(outer):
    application, _ = mend(outer(InstanceMiddleware(URLRouter([path("ws/", Greeter)]))))
    (message,) = await serve(application)
    assert message.startswith("alice of the middleware")
    assert [route.pattern for route in find_routes(application)] == ["ws/"]


async def test_a_helper_that_takes_a_scope_is_no_application():
    def user_of(scope: Any) -> Any:
        return scope["user"]

    async def application(scope: Any, receive: Any, send: Any) -> None:
        await send(user_of(scope))

    mended, repairs = mend(application)
    assert (mended, repairs) == (application, [])
    assert await serve(mended) == ["alice"]
