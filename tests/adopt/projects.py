"""Small Django projects, written by a test: the Channels tutorial as its documentation has it, and changes of it."""

import textwrap
from pathlib import Path

from deploy.adopt.adoption import adopt
from deploy.adopt.report import Finding, Report

SETTINGS = """\
from pathlib import Path

BASE_DIR = Path(__file__).resolve().parent.parent

SECRET_KEY = 'django-insecure-3k2j4h5g6f7d8s9a0q1w2e3r4t5y6u7i8o9p'

DEBUG = True

ALLOWED_HOSTS = []

INSTALLED_APPS = [
    'daphne',
    'chat',
    'django.contrib.admin',
    'django.contrib.auth',
    'django.contrib.contenttypes',
    'django.contrib.sessions',
    'django.contrib.messages',
    'django.contrib.staticfiles',
]

MIDDLEWARE = ['django.middleware.csrf.CsrfViewMiddleware']

ROOT_URLCONF = 'mysite.urls'

WSGI_APPLICATION = 'mysite.wsgi.application'
ASGI_APPLICATION = 'mysite.asgi.application'

CHANNEL_LAYERS = {
    'default': {
        'BACKEND': 'channels_redis.core.RedisChannelLayer',
        'CONFIG': {
            "hosts": [('127.0.0.1', 6379)],
        },
    },
}

DATABASES = {
    'default': {
        'ENGINE': 'django.db.backends.sqlite3',
        'NAME': BASE_DIR / 'db.sqlite3',
    }
}

STATIC_URL = 'static/'
"""

ASGI = """\
import os

from channels.auth import AuthMiddlewareStack
from channels.routing import ProtocolTypeRouter, URLRouter
from channels.security.websocket import AllowedHostsOriginValidator
from django.core.asgi import get_asgi_application

os.environ.setdefault('DJANGO_SETTINGS_MODULE', 'mysite.settings')
django_asgi_app = get_asgi_application()

from chat.routing import websocket_urlpatterns

application = ProtocolTypeRouter({
    "http": django_asgi_app,
    "websocket": AllowedHostsOriginValidator(
        AuthMiddlewareStack(URLRouter(websocket_urlpatterns))
    ),
})
"""

TUTORIAL = {
    "manage.py": """\
        import os
        import sys

        def main():
            os.environ.setdefault('DJANGO_SETTINGS_MODULE', 'mysite.settings')
            from django.core.management import execute_from_command_line
            execute_from_command_line(sys.argv)

        if __name__ == '__main__':
            main()
        """,
    "mysite/__init__.py": "",
    "mysite/settings.py": SETTINGS,
    "mysite/urls.py": """\
        from django.contrib import admin
        from django.urls import include, path

        urlpatterns = [
            path("chat/", include("chat.urls")),
            path("admin/", admin.site.urls),
        ]
        """,
    "mysite/wsgi.py": """\
        import os
        from django.core.wsgi import get_wsgi_application
        os.environ.setdefault('DJANGO_SETTINGS_MODULE', 'mysite.settings')
        application = get_wsgi_application()
        """,
    "mysite/asgi.py": ASGI,
    "chat/__init__.py": "",
    "chat/urls.py": """\
        from django.urls import path
        from . import views

        urlpatterns = [
            path("", views.index, name="index"),
            path("<str:room_name>/", views.room, name="room"),
        ]
        """,
    "chat/views.py": """\
        from django.shortcuts import render

        def index(request):
            return render(request, "chat/index.html")

        def room(request, room_name):
            return render(request, "chat/room.html", {"room_name": room_name})
        """,
    "chat/routing.py": """\
        from django.urls import re_path
        from . import consumers

        websocket_urlpatterns = [
            re_path(r"ws/chat/(?P<room_name>\\w+)/$", consumers.ChatConsumer.as_asgi()),
        ]
        """,
    "chat/consumers.py": """\
        import json
        from channels.generic.websocket import AsyncWebsocketConsumer

        class ChatConsumer(AsyncWebsocketConsumer):
            async def connect(self):
                self.room_name = self.scope["url_route"]["kwargs"]["room_name"]
                await self.channel_layer.group_add(self.room_name, self.channel_name)
                await self.accept()

            async def receive(self, text_data):
                message = json.loads(text_data)["message"]
                await self.channel_layer.group_send(self.room_name, {"type": "chat.message", "message": message})
        """,
    "chat/templates/chat/index.html": """\
        <input id="room-name-input">
        <script>
            window.location.pathname = '/chat/' + name + '/';
        </script>
        """,
    "chat/templates/chat/room.html": """\
        <textarea id="chat-log"></textarea>
        <script>
            const chatSocket = new WebSocket(
                'ws://'
                + window.location.host
                + '/ws/chat/'
            );
        </script>
        """,
}


def write_project(folder: Path, changes: dict[str, str] | None = None) -> Path:
    """Write the finished tutorial with these files instead of, or beside, its own. Return the folder."""
    for name, text in {**TUTORIAL, **(changes or {})}.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(textwrap.dedent(text))
    return folder


def examine(folder: Path, *, writes: bool = False) -> Report:
    """Adopt the project without asking an index of packages."""
    return adopt(str(folder), here=folder.parent, writes=writes, resolves=False)


def find(report: Report, cause: str) -> list[Finding]:
    """Return the findings of one cause, in the order of the report."""
    return [finding for finding in report.findings if finding.cause == cause]
