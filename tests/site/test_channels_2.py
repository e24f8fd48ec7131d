"""A project of the time of Channels 2 and Django 2 runs unchanged: classes, middleware, and names that are gone."""

import json

import pytest

from tests.site import tutorial
from tests.site.project import receive

# settings.ASGI_APPLICATION of Channels 2 named a module without get_asgi_application(); there was no asgi.py.
ROUTING = """
from channels.auth import AuthMiddlewareStack
from channels.routing import ProtocolTypeRouter, URLRouter
from django.conf.urls import url

from chat.consumers import ChatConsumer, EchoConsumer
from chat.tokens import TokenMiddleware

application = ProtocolTypeRouter({
    "websocket": TokenMiddleware(AuthMiddlewareStack(URLRouter([
        url(r"^ws/chat/(?P<room_name>[^/]+)/$", ChatConsumer),
        url(r"^ws/echo/$", EchoConsumer),
    ]))),
})
"""

# As blogs of the time have it: called with the scope, it returns the inner application's instance.
TOKENS = """
from urllib.parse import parse_qs

from django.utils.encoding import force_text
from django.utils.translation import ugettext_lazy as _

LABEL = _("Token")


class TokenMiddleware:
    def __init__(self, inner):
        self.inner = inner

    def __call__(self, scope):
        query = parse_qs(force_text(scope["query_string"]))
        return self.inner(dict(scope, token=query.get("token", ["none"])[0]))
"""

CONSUMERS = """
import json

from asgiref.sync import async_to_sync
from channels.generic.websocket import AsyncWebsocketConsumer, WebsocketConsumer


class ChatConsumer(AsyncWebsocketConsumer):
    async def connect(self):
        self.group = "chat_" + self.scope["url_route"]["kwargs"]["room_name"]
        await self.channel_layer.group_add(self.group, self.channel_name)
        await self.accept()

    async def receive(self, text_data):
        text = json.loads(text_data)["message"] + " by " + self.scope["token"]
        await self.channel_layer.group_send(self.group, {"type": "chat_message", "message": text})

    async def chat_message(self, event):
        await self.send(text_data=json.dumps({"message": event["message"]}))


class EchoConsumer(WebsocketConsumer):
    def __init__(self, scope):
        super().__init__(scope)
        self.path = scope["path"]

    def connect(self):
        self.accept()

    def receive(self, text_data):
        self.send(text_data=json.dumps({"path": self.path, "user": str(self.scope["user"])}))
"""

URLS = """
from django.conf.urls import include, url
from django.contrib import admin
from django.http import HttpResponse

urlpatterns = [url(r"^page/$", lambda request: HttpResponse("a page")), url(r"^admin/", admin.site.urls)]
"""

FILES = {
    "mysite/__init__.py": "",
    "mysite/settings.py": tutorial.SETTINGS.replace("mysite.asgi.application", "mysite.routing.application"),
    "mysite/urls.py": URLS,
    "mysite/wsgi.py": tutorial.WSGI,
    "mysite/routing.py": ROUTING,
    "chat/__init__.py": "",
    "chat/consumers.py": CONSUMERS,
    "chat/tokens.py": TOKENS,
}


@pytest.fixture
def project(make_project, redis_url):
    made = make_project(FILES, asgi="mysite.routing:application", redis_url=redis_url)
    made.migrate()
    return made


async def test_consumers_and_middleware_of_channels_2_are_served(project):
    with project.sockets() as server:
        async with (
            server.connect("/ws/chat/harbour/?token=t1") as alice,
            server.connect("/ws/chat/harbour/") as bob,
            server.connect("/ws/echo/") as echo,
        ):
            await alice.send(json.dumps({"message": "Hello"}))
            assert await receive(bob) == {"message": "Hello by t1"}
            await echo.send("x")
            assert await receive(echo) == {"path": "/ws/echo/", "user": "AnonymousUser"}
        assert server.get("/page/").text == "a page"
        log = server.log()
    assert "chat.consumers.ChatConsumer is used without as_asgi()." in log
    assert "chat.tokens.TokenMiddleware takes the scope alone, as in Channels 2." in log
    assert "Traceback" not in log


def test_routes_are_found_below_the_middleware(project):
    assert [(route["consumer"], route["example"]) for route in project.routes()] == [
        ("chat.consumers.ChatConsumer", "/ws/chat/lobby/"),
        ("chat.consumers.EchoConsumer", "/ws/echo/"),
    ]


def test_pages_with_url_patterns_of_django_2_are_served(project):
    with project.pages() as server:
        assert server.get("/page/").text == "a page"
        assert server.get("/ws/echo/").status_code == 426


def test_pages_over_the_asgi_handler_of_channels_2_are_served(make_project):
    routing = """
from channels.http import AsgiHandler
from channels.routing import ProtocolTypeRouter, URLRouter
from django.conf.urls import url

application = ProtocolTypeRouter({"http": URLRouter([url(r"", AsgiHandler)]), "websocket": URLRouter([])})
"""
    files = FILES | {"mysite/routing.py": routing}
    project = make_project(files, asgi="mysite.routing:application", asgi_http="all")
    project.migrate()
    with project.sockets() as server:
        assert server.get("/page/").text == "a page"


def test_names_that_django_removed_are_importable(make_project):
    models = """
from django.shortcuts import render_to_response
from django.utils.encoding import smart_text
from django.utils.http import is_safe_url, urlquote
from django.utils.timezone import utc
from django.utils.translation import ugettext, ungettext, ugettext_noop
"""
    project = make_project(FILES | {"chat/models.py": models}, asgi="mysite.routing:application")
    assert project.evaluate("urlquote('a b')", "from chat.models import *") == "a%20b"
