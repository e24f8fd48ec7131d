"""`adopt` names each planted obstacle with its file and line, and finds nothing in the tutorial of Channels."""

import re
import sqlite3
from pathlib import Path

import pytest

from deploy.adopt.causes import CAUSES
from deploy.adopt.report import Report, Severity
from tests.adopt.projects import ASGI, SETTINGS, examine, find, write_project


def settings(old: str, new: str) -> dict[str, str]:
    assert old in SETTINGS
    return {"mysite/settings.py": SETTINGS.replace(old, new)}


def more_settings(text: str) -> dict[str, str]:
    return {"mysite/settings.py": f"{SETTINGS}\n{text}"}


def asgi(old: str, new: str) -> dict[str, str]:
    assert old in ASGI
    return {"mysite/asgi.py": ASGI.replace(old, new)}


CHANNELS2_ROUTING = """\
from channels.auth import AuthMiddlewareStack
from channels.routing import ProtocolTypeRouter, URLRouter
from django.conf.urls import url
from chat import consumers

application = ProtocolTypeRouter({
    'websocket': AuthMiddlewareStack(URLRouter([url(r'^ws$', consumers.ChatConsumer)])),
})
"""
CHANNELS2 = {
    **settings("'mysite.asgi.application'", "'mysite.routing.application'"),
    "mysite/routing.py": CHANNELS2_ROUTING,
}
MODEL = "from django.db import models\n\nclass Message(models.Model):\n    body = models.TextField()\n"
EARLY = {
    **asgi("import os\n", "import os\nfrom chat.routing import websocket_urlpatterns\n"),
    "chat/models.py": MODEL,
    "chat/migrations/0001_initial.py": "",
    "chat/consumers.py": "from .models import Message\n\nclass ChatConsumer:\n    pass\n",
}
PACKAGE_JSON = """{
  "dependencies": {"vue": "3"},
  "scripts": {
    "build": "vite build --outDir ../chat/static/chat"
  }
}
"""
COMPUTED_MEDIA_ROOT = """
import os
ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
MEDIA_ROOT = os.path.join(ROOT, 'm')
"""
MIDDLEWARE = """
class Auth:
    def __init__(self, inner):
        self.inner = inner

    def __call__(self, scope):
        return self.inner(scope)
"""
COMPOSE = """
services:
  web:
    command: daphne mysite.asgi:application
  worker:
    command: python manage.py runworker game
"""
SUPERVISOR = """
[program:web]
command=gunicorn x
[program:worker]
command=celery -A mysite worker
"""
USER = """
from django.contrib.auth.models import AbstractUser

class User(AbstractUser):
    pass
"""

# (cause, the line that contains this text, files). "" is the whole file.
PLANTED = [
    # set by the stack
    ("debug-on", "mysite/settings.py", "DEBUG = True", {}),
    ("secret-key-in-tree", "mysite/settings.py", "SECRET_KEY", {}),
    ("allowed-hosts", "mysite/settings.py", "ALLOWED_HOSTS", {}),
    (
        "allowed-hosts",
        "mysite/settings.py",
        "ALLOWED_HOSTS",
        settings("ALLOWED_HOSTS = []", "ALLOWED_HOSTS = 'example.org'"),
    ),
    ("csrf-origins", "mysite/settings.py", "CSRF_", more_settings("CSRF_TRUSTED_ORIGINS = ['http://127.0.0.1']")),
    ("no-proxy-header", "mysite/settings.py", "", {}),
    ("no-static-root", "mysite/settings.py", "STATIC_URL", {}),
    ("relative-static-root", "mysite/settings.py", "STATIC_ROOT", more_settings("STATIC_ROOT = 'staticfiles'")),
    ("media-in-tree", "mysite/settings.py", "MEDIA_ROOT", more_settings("MEDIA_ROOT = BASE_DIR / 'media'")),
    (
        "media-in-tree",
        "mysite/settings.py",
        "MEDIA_ROOT",
        more_settings(COMPUTED_MEDIA_ROOT),
    ),
    ("sqlite-in-tree", "mysite/settings.py", "'NAME'", {}),
    (
        "database-hard-coded",
        "mysite/settings.py",
        "'ENGINE'",
        settings("django.db.backends.sqlite3'", "django.db.backends.postgresql', 'HOST': 'db'"),
    ),
    ("redis-host-hard-coded", "mysite/settings.py", '"hosts"', {}),
    (
        "redis-host-hard-coded",
        "mysite/settings.py",
        "LOCATION",
        more_settings(
            "CACHES = {'default': {\n  'BACKEND': 'django_redis.cache.RedisCache',\n  'LOCATION': 'redis://redis:6379/1'}}"
        ),
    ),
    (
        "redis-host-hard-coded",
        "mysite/settings.py",
        "BROKER",
        more_settings("CELERY_BROKER_URL = 'redis://localhost:6379'"),
    ),
    (
        "in-memory-layer",
        "mysite/settings.py",
        "InMemory",
        settings("channels_redis.core.RedisChannelLayer", "channels.layers.InMemoryChannelLayer"),
    ),
    (
        "logging-in-tree",
        "mysite/settings.py",
        "'filename'",
        more_settings("LOGGING = {'handlers': {'f': {\n 'filename': BASE_DIR / 'a.log'}}}"),
    ),
    # mended by the stack
    ("no-origin-check", "mysite/asgi.py", '"websocket"', asgi("AllowedHostsOriginValidator", "SessionMiddlewareStack")),
    ("imports-before-setup", "mysite/asgi.py", "from chat.routing import", EARLY),
    ("consumer-without-as-asgi", "mysite/routing.py", "url(r'^ws$'", CHANNELS2),
    ("no-http-in-asgi", "mysite/routing.py", "ProtocolTypeRouter({", CHANNELS2),
    ("removed-name", "mysite/routing.py", "import url", CHANNELS2),
    (
        "removed-name",
        "chat/views.py",
        "ugettext",
        {"chat/views.py": "from django.utils.translation import ugettext as _\n"},
    ),
    (
        "channels-2-middleware",
        "chat/auth.py",
        "def __call__",
        {"chat/auth.py": MIDDLEWARE},
    ),
    ("ws-scheme-in-page", "chat/templates/chat/room.html", "'ws://'", {}),
    (
        "ws-scheme-in-page",
        "chat/static/chat.js",
        "ws://",
        {"chat/static/chat.js": "\nnew WebSocket(`ws://${location.host}/ws/`);\n"},
    ),
    (
        "ws-scheme-in-page",
        "chat/static/chat.js",
        "ws://",
        {"chat/static/chat.js": 'new WebSocket("ws://" + window.location.host);\n'},
    ),
    (
        "ws-scheme-in-page",
        "chat/templates/a.html",
        "ws://",
        {"chat/templates/a.html": "<script>s = new WebSocket('ws://{{ request.get_host }}/ws/')</script>\n"},
    ),
    ("home-not-found", "mysite/urls.py", "urlpatterns", {}),
    ("models-without-migrations", "chat/models.py", "class Message", {"chat/models.py": MODEL}),
    ("wsgi-missing", "mysite/settings.py", "WSGI_", settings("'mysite.wsgi.application'", "'mysite.web.application'")),
    (
        "relation-without-on-delete",
        "chat/models.py",
        "ForeignKey(Room)",
        {"chat/models.py": f"{MODEL}\nclass Room(models.Model):\n    pass\n\nx = models.ForeignKey(Room)\n"},
    ),
    (
        "relation-without-on-delete",
        "chat/models.py",
        "on_delete=None",
        {"chat/models.py": f"{MODEL}\nx = models.OneToOneField('Room', on_delete=None)\n"},
    ),
    # fields
    ("python-version", "pyproject.toml", "requires", {"pyproject.toml": "[project]\nrequires-python = '>=3.12'\n"}),
    ("package-not-listed", "chat/views.py", "import markdown", {"chat/views.py": "import os\nimport markdown\n"}),
    (
        "package-not-listed",
        "mysite/settings.py",
        "crispy_forms",
        settings("    'daphne',", "    'daphne',\n    'crispy_forms',"),
    ),
    (
        "package-not-listed",
        "mysite/settings.py",
        "django_redis.cache",
        more_settings(
            "CACHES = {'default': {\n'BACKEND': 'django_redis.cache.RedisCache',\n'LOCATION': 'redis://127.0.0.1'}}"
        ),
    ),
    ("package-not-listed", "mysite/settings.py", "anymail", more_settings("EMAIL_BACKEND = 'anymail.backends.Test'")),
    (
        "package-not-listed",
        "mysite/settings.py",
        "rest_framework_simplejwt",
        more_settings(
            "REST_FRAMEWORK = {'DEFAULT_AUTHENTICATION_CLASSES': [\n"
            "'rest_framework_simplejwt.authentication.JWTAuthentication',\n]}"
        ),
    ),
    (
        "other-port-in-page",
        "chat/static/chat.js",
        "8001",
        {"chat/static/chat.js": "s = new WebSocket('wss://' + location.hostname + ':8001/');\n"},
    ),
    (
        "other-port-in-page",
        "chat/static/chat.js",
        "8001",
        {"chat/static/chat.js": "s = scheme + '://' + window.location.host + ':8001/ws/';\n"},
    ),
    ("frontend-build", "frontend/package.json", '"build"', {"frontend/package.json": PACKAGE_JSON}),
    (
        "extra-process",
        "Procfile",
        "worker:",
        {"Procfile": "web: daphne mysite.asgi:application\nworker: celery -A mysite worker\n"},
    ),
    (
        "extra-process",
        "docker-compose.yml",
        "  worker:",
        {"docker-compose.yml": COMPOSE},
    ),
    (
        "extra-process",
        "deploy/supervisor.conf",
        "[program:worker]",
        {"deploy/supervisor.conf": SUPERVISOR},
    ),
    (
        "extra-process",
        "mysite/celery.py",
        "Celery(",
        {"mysite/celery.py": "from celery import Celery\napp = Celery('mysite')\n"},
    ),
    (
        "extra-process",
        "mysite/asgi.py",
        "ChannelNameRouter",
        asgi('    "websocket"', '    "channel": ChannelNameRouter({"thumbnails": Worker.as_asgi()}),\n    "websocket"'),
    ),
    (
        "http-in-asgi",
        "mysite/asgi.py",
        "events/",
        asgi(
            '"http": django_asgi_app', '"http": URLRouter([\n        path("events/", sse), path("", django_asgi_app)])'
        ),
    ),
    ("outgoing-network", "chat/views.py", "import requests", {"chat/views.py": "import os\nimport requests\n"}),
    ("outgoing-network", "mysite/settings.py", "EMAIL_HOST", more_settings("EMAIL_HOST = 'smtp.example.org'")),
    (
        "variable-required",
        "mysite/settings.py",
        "STRIPE_KEY",
        more_settings("import os\nSTRIPE = os.environ['STRIPE_KEY']"),
    ),
    (
        "variable-required",
        "mysite/settings.py",
        "MODE",
        more_settings("from decouple import config\nMODE = config('MODE')"),
    ),
    (
        "variable-required",
        "mysite/settings.py",
        "get_variable('STRIPE_KEY')",
        {
            **more_settings("from .variables import get_variable\nSTRIPE = get_variable('STRIPE_KEY')"),
            "mysite/variables.py": (
                "import os\n\ndef get_variable(name):\n    try:\n        return os.environ[name]\n"
                "    except KeyError:\n        raise RuntimeError(name)\n"
            ),
        },
    ),
    (
        "queries-in-async-code",
        "chat/consumers.py",
        "class Live",
        {
            "requirements.txt": "Django==2.2.15\n",
            "chat/consumers.py": "class Live(Base):\n    async def connect(self):\n        pass\n",
        },
    ),
    # changes by the owner
    (
        "foreign-address-in-page",
        "chat/static/chat.js",
        "127.0.0.1",
        {"chat/static/chat.js": "\ns = new WebSocket('ws://127.0.0.1:8000/ws/');\n"},
    ),
    (
        "foreign-address-in-page",
        "frontend/src/api.ts",
        "localhost",
        {"frontend/src/api.ts": "export const API = 'http://localhost:8000/api';\n"},
    ),
    (
        "foreign-address-in-page",
        "chat/static/chat.js",
        "heroku",
        {"chat/static/chat.js": "s = new WebSocket('wss://my-chat.herokuapp.com/ws/');\n"},
    ),
    (
        "redis-client-hard-coded",
        "chat/views.py",
        "Redis(",
        {"chat/views.py": "import redis\n\nr = redis.Redis(host='localhost', port=6379)\n"},
    ),
    (
        "redis-client-hard-coded",
        "chat/views.py",
        "from_url",
        {"chat/views.py": "import redis\nr = redis.from_url('redis://10.0.0.5')\n"},
    ),
    ("syntax-error", "chat/old.py", "print", {"chat/old.py": "def f():\n    print 'hello'\n"}),
    (
        "settings-file-missing",
        "mysite/settings.py",
        "open(",
        more_settings("SECRETS = BASE_DIR / 'secrets.json'\nwith open(SECRETS) as file:\n    KEYS = file.read()"),
    ),
    ("channels-1", "mysite/old_routing.py", "channel_routing", {"mysite/old_routing.py": "\nchannel_routing = []\n"}),
    (
        "removed-from-django",
        "chat/views.py",
        "urlresolvers",
        {"chat/views.py": "from django.core.urlresolvers import reverse\n"},
    ),
    (
        "user-model-without-migrations",
        "chat/models.py",
        "class User",
        {
            **more_settings("AUTH_USER_MODEL = 'chat.User'"),
            "chat/models.py": USER,
        },
    ),
    (
        "writes-into-tree",
        "chat/views.py",
        "open(",
        {"chat/views.py": "def log(text):\n    open('log.txt', 'a').write(text)\n"},
    ),
    (
        "writes-into-tree",
        "chat/views.py",
        "Storage(",
        {"chat/views.py": "fs = FileSystemStorage(\n    location=settings.BASE_DIR / 'up')\n"},
    ),
    (
        "node-server",
        "nodejs/package.json",
        "socket.io",
        {"nodejs/package.json": '{\n "dependencies": {\n  "socket.io": "2"}}'},
    ),
    (
        "frontend-not-served",
        "client/package.json",
        '"build"',
        {"client/package.json": '{"scripts": {\n"build": "react-scripts build"}}'},
    ),
    (
        "dead-package",
        "requirements.txt",
        "django-rest-auth",
        {"requirements.txt": "Django\ndjango-rest-auth==0.9\n", "chat/views.py": "import rest_auth\n"},
    ),
    (
        "module-missing",
        "mysite/settings.py",
        "import secret_key",
        {**more_settings("import secret_key"), ".gitignore": "# keys\nsecret_key.py\n"},
    ),
    (
        "foreign-address-in-page",
        "chat/static/main.js",
        "127.0.0.1:8000",
        {
            "chat/static/main.js": "/* built */\n"
            + "x=1;" * 400
            + 'const u="http://127.0.0.1:8000",v="http://localhost";\n'
        },
    ),
    (
        "build-needs-python-2",
        "frontend/package.json",
        "node-sass",
        {"frontend/package.json": PACKAGE_JSON.replace('"vue": "3"', '"vue": "3",\n"node-sass": "^4.12.0"')},
    ),
    # information
    (
        "build-needs-old-openssl",
        "frontend/package.json",
        "react-scripts",
        {"frontend/package.json": PACKAGE_JSON.replace('"vue": "3"', '"vue": "3",\n"react-scripts": "2.1.1"')},
    ),
    (
        "build-needs-program",
        "frontend/package.json",
        '"build"',
        {"frontend/package.json": PACKAGE_JSON.replace("vite build", "dotnet fable src && vite build")},
    ),
    ("env-file", ".env", "", {".env": "DEBUG=1\n"}),
    ("secret-in-tree", "mysite/settings.py", "EMAIL_HOST_PASSWORD", more_settings("EMAIL_HOST_PASSWORD = 'hunter22'")),
    (
        "setting-from-environment",
        "mysite/settings.py",
        "getenv",
        settings("ALLOWED_HOSTS = []", "import os\nALLOWED_HOSTS = os.getenv('HOSTS', '').split(',')"),
    ),
    (
        "postgres-only",
        "chat/models.py",
        "ArrayField",
        {"chat/models.py": "\nfrom django.contrib.postgres.fields import ArrayField\n"},
    ),
    (
        "postgres-only",
        "chat/migrations/0001_initial.py",
        "CREATE EXTENSION",
        {
            "chat/migrations/0001_initial.py": (
                "from django.db import migrations\n\nclass Migration(migrations.Migration):\n"
                "    operations = [migrations.RunSQL('CREATE EXTENSION citext')]\n"
            )
        },
    ),
    (
        "postgres-only",
        "mysite/settings.py",
        "contrib.postgres",
        more_settings("INSTALLED_APPS += ['django.contrib.postgres']"),
    ),
    (
        "asgi-differs",
        "mysite/settings.py",
        "ASGI_APPLICATION",
        {**settings("'mysite.asgi.application'", "'mysite.web.application'"), "mysite/web.py": "application = None\n"},
    ),
]


@pytest.mark.parametrize(
    ("cause", "file", "line", "files"),
    PLANTED,
    ids=[f"{number}-{planted[0]}" for number, planted in enumerate(PLANTED)],
)
def test_a_planted_obstacle_is_named_with_its_line(
    cause: str, file: str, line: str, files: dict[str, str], tmp_path: Path
) -> None:
    folder = write_project(tmp_path / "mysite", files)
    places = [(finding.file, finding.line) for finding in find(examine(folder), cause)]
    lines = (folder / file).read_text().splitlines()
    expected = next(number for number, text in enumerate(lines, 1) if line in text) if line else 0
    assert (file, expected) in places


@pytest.mark.parametrize(
    ("cause", "files"),
    # Every cause that a project has only where a test planted it.
    [(cause, files) for cause, _, _, files in PLANTED if files],
    ids=[f"{number}-{planted[0]}" for number, planted in enumerate(PLANTED) if planted[3]],
)
def test_the_obstacle_is_not_named_where_it_is_not_planted(cause: str, files: dict[str, str], tmp_path: Path) -> None:
    planted = find(examine(write_project(tmp_path / "planted", files)), cause)
    without = find(examine(write_project(tmp_path / "tutorial")), cause)
    assert {(finding.file, finding.source) for finding in planted} != {
        (finding.file, finding.source) for finding in without
    }


def test_the_table_has_every_cause() -> None:
    tested_below = {
        "database-committed",
        "no-sockets",
        "pin-freed",
        "pin-without-wheel",
        "pins-contradict",
    }
    assert CAUSES.keys() - {planted[0] for planted in PLANTED} == tested_below


def test_the_tutorial_has_no_obstacle(tmp_path: Path) -> None:
    report = examine(write_project(tmp_path / "mysite"))
    assert report.obstacles == []
    assert report.exit_code == 0
    assert {finding.severity for finding in report.findings} == {Severity.SET, Severity.MENDED}
    assert report.facts["home"] == "/chat/"
    assert len(report.manifest.splitlines()) <= 3


@pytest.mark.parametrize("folder", ["tests/guest", "docs/demo", "loadtest/server", "bench"])
def test_files_that_serve_nothing_are_left_alone(folder: str, tmp_path: Path) -> None:
    files = {
        f"{folder}/package.json": '{"dependencies": {"socket.io": "2"}}',
        f"{folder}/client/package.json": '{"scripts": {"build": "vite build"}}',
        f"{folder}/.env": "A=1\n",
    }
    assert examine(write_project(tmp_path / "mysite", files)).obstacles == []
    assert find(examine(tmp_path / "mysite"), "env-file") == []


def test_a_committed_database_is_named_with_its_tables(tmp_path: Path) -> None:
    folder = write_project(tmp_path / "mysite")
    connection = sqlite3.connect(folder / "db.sqlite3")
    connection.execute("CREATE TABLE message (body)")
    connection.close()
    (found,) = find(examine(folder), "database-committed")
    assert (found.place, found.detail) == ("db.sqlite3", "1 tables")


@pytest.mark.parametrize(
    "script",
    [
        "// new WebSocket('ws://127.0.0.1:8000/')",
        "<!-- ws://localhost:8000/ -->",
        "const scheme = location.protocol === 'https:' ? 'wss://' : 'ws://';",
        'xmlns="http://www.w3.org/2000/svg"',
        '<a href="https://example.org/">a link</a>',
    ],
)
def test_scripts_that_work_on_a_site_are_left_alone(script: str, tmp_path: Path) -> None:
    folder = write_project(
        tmp_path / "mysite", {"chat/static/chat.js": f"{script}\n", "chat/static/chat.html": f"{script}\n"}
    )
    assert [finding for finding in examine(folder).findings if finding.file.startswith("chat/static/")] == []


@pytest.mark.parametrize(
    "name",
    [
        "node_modules/x/index.js",
        "static/vendor/lib.js",
        "static/jquery.min.js",
        "frontend/vite.config.js",
        "tests/page.js",
        ".venv/lib/x.js",
    ],
)
def test_scripts_of_others_are_not_read(name: str, tmp_path: Path) -> None:
    files = {name: "new WebSocket('ws://127.0.0.1:8000/');\n", ".venv/pyvenv.cfg": ""}
    assert find(examine(write_project(tmp_path / "mysite", files)), "foreign-address-in-page") == []


def build_with(package: str, tmp_path: Path) -> Report:
    """Return the report on a project whose browser code needs this package."""
    text = PACKAGE_JSON.replace('"vue": "3"', package)
    return examine(write_project(tmp_path / "mysite", {"frontend/package.json": text}))


def test_a_build_with_an_old_webpack_gets_the_algorithms_that_it_needs(tmp_path: Path) -> None:
    prefix = "env NODE_OPTIONS=--openssl-legacy-provider npm"
    assert (
        f'build = [{{ run = "{prefix} install", folder = "frontend" }}, '
        f'{{ run = "{prefix} run build", folder = "frontend" }}]'
    ) in build_with('"webpack": "~4.46.0"', tmp_path).manifest


@pytest.mark.parametrize("package", ['"react-scripts": "5.0.1"', '"node-sass": "^9.0.0"', '"webpack": "latest"'])
def test_a_build_with_newer_tools_is_left_alone(package: str, tmp_path: Path) -> None:
    report = build_with(package, tmp_path)
    assert "NODE_OPTIONS" not in report.manifest
    assert report.obstacles == []


def test_an_optional_import_needs_no_package(tmp_path: Path) -> None:
    files = {"chat/views.py": "try:\n    import markdown\nexcept ImportError:\n    markdown = None\n"}
    assert find(examine(write_project(tmp_path / "mysite", files)), "package-not-listed") == []


def test_modules_that_the_stack_replaces_need_no_package(tmp_path: Path) -> None:
    files = more_settings(
        "LOGGING = {'version': 1, 'handlers': {'x': {'class': 'pythonjsonlogger.Handler'}}}\n"
        "CHANNEL_LAYERS = {'default': {'BACKEND': 'asgi_redis.RedisChannelLayer'}}\n"
        "EMAIL_BACKEND = 'django.core.mail.backends.smtp.EmailBackend'\n"
        "SITE_URL_BACKEND = 'https://chat.example.org'\n"
    )
    assert find(examine(write_project(tmp_path / "mysite", files)), "package-not-listed") == []


def test_a_helper_with_a_default_needs_no_variable(tmp_path: Path) -> None:
    helper = "import os\n\ndef env(name, default=None):\n    return os.environ.get(name, default)\n\n"
    files = {"mysite/settings.py": f"{helper}{SETTINGS}\nMODE = env('MODE')\nPORT = env('PORT', '1')\n"}
    assert find(examine(write_project(tmp_path / "mysite", files)), "variable-required") == []


def test_a_package_that_is_listed_under_another_name_is_known(tmp_path: Path) -> None:
    files = {
        "requirements.txt": "Django\ndjangorestframework\nPillow\npython-jose\ndjango-adminlte-3\n",
        "chat/views.py": "import rest_framework\nimport PIL\nimport jose\nimport adminlte3\nimport adminlte3_theme\n",
    }
    assert find(examine(write_project(tmp_path / "mysite", files)), "package-not-listed") == []


def test_secrets_are_not_shown(tmp_path: Path) -> None:
    files = more_settings(
        "API_KEY = 'hunter22hunter22'\nCELERY_BROKER_URL = 'redis://:hunter22@redis.example.org:6379'"
    )
    report = examine(write_project(tmp_path / "mysite", files))
    assert find(report, "secret-in-tree")
    assert "hunter22" not in report.to_json()
    assert "3k2j4h5g" not in report.to_json()


def test_every_cause_has_plain_sentences() -> None:
    for cause in CAUSES.values():
        assert cause.meaning.endswith("."), cause.name
        assert cause.fix.endswith((".", "}", '"')) or cause.fix.endswith("]."), cause.name
        assert re.fullmatch(r"[a-z0-9-]+", cause.name)
