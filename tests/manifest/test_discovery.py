"""What a manifest does not say is found in the project's files, without importing any of them."""

import textwrap
from dataclasses import replace
from pathlib import Path

import pytest

from deploy.discovery import Discovery, complete, discover
from deploy.manifest import Manifest, WrongManifest, read_manifest

SETTINGS = "INSTALLED_APPS = ['channels']\nROOT_URLCONF = 'mysite.urls'\n"
APPLICATION = "application = ProtocolTypeRouter({'websocket': x})\n"


def write(folder: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(textwrap.dedent(text))
    return folder


def manage(settings: str) -> str:
    return f"import os\nos.environ.setdefault('DJANGO_SETTINGS_MODULE', '{settings}')\nimport django\n"


def find(folder: Path, files: dict[str, str]) -> Discovery:
    return discover(write(folder, files))


SIMPLE = {
    "manage.py": manage("mysite.settings"),
    "mysite/settings.py": SETTINGS,
    "mysite/asgi.py": APPLICATION,
    "mysite/wsgi.py": "application = None\n",
}


def below(folder: str, files: dict[str, str] = SIMPLE) -> dict[str, str]:
    return {f"{folder}/{name}": text for name, text in files.items()}


def test_a_simple_project_is_found_whole(tmp_path: Path) -> None:
    found = find(tmp_path, {**SIMPLE, "requirements.txt": "Django\n"})
    assert (found.root, found.settings) == (".", "mysite.settings")
    assert (found.asgi, found.wsgi) == ("mysite.asgi:application", "mysite.wsgi:application")
    assert found.requirement_files.chosen == (tmp_path / "requirements.txt",)
    assert found.problems == found.notes == []


# --- root


@pytest.mark.parametrize("root", ["src", "server", "backend", "Indeform", "a/b"])
def test_the_root_is_the_folder_of_manage_py(root: str, tmp_path: Path) -> None:
    assert find(tmp_path, below(root)).root == root


def test_manage_py_at_the_top_wins_over_examples(tmp_path: Path) -> None:
    assert find(tmp_path, {**SIMPLE, **below("example"), **below("tests/project")}).root == "."


def test_the_project_that_uses_channels_wins(tmp_path: Path) -> None:
    plain = {**SIMPLE, "mysite/settings.py": "INSTALLED_APPS = []\n", "mysite/asgi.py": "application = None\n"}
    found = find(tmp_path, {**below("a-first", plain), **below("second")})
    assert found.root == "second"
    assert found.notes[0] == "root is second; there is also a manage.py in a-first"


def test_two_equal_roots_are_a_problem_that_the_manifest_settles(tmp_path: Path) -> None:
    found = find(tmp_path, {**below("one"), **below("two")})
    assert found.problems == [
        "2 folders have a manage.py: one, two; name one of these folders instead, or set root in stack.toml"
    ]
    manifest = Manifest(name="mysite", folder=tmp_path, root="two")
    assert complete(manifest).root == "two"
    with pytest.raises(WrongManifest, match="there is no such folder"):
        complete(replace(manifest, root="three"))


def test_environments_are_not_searched(tmp_path: Path) -> None:
    assert find(tmp_path, {**SIMPLE, "venv/pyvenv.cfg": "", **below("venv/project")}).roots == (".",)


# --- settings


def test_settings_for_production_win_and_that_is_noted(tmp_path: Path) -> None:
    files = {
        "manage.py": manage("config.settings.local"),
        "config/settings/__init__.py": "",
        "config/settings/base.py": SETTINGS,
        "config/settings/local.py": "from .base import *\n",
        "config/settings/production.py": "from .base import *\n",
    }
    found = find(tmp_path, files)
    assert found.settings == "config.settings.production"
    assert found.notes[0].startswith("settings is config.settings.production; manage.py uses config.settings.local")
    settings = found.project_settings
    assert settings
    assert settings.value("ROOT_URLCONF") == "mysite.urls"


def test_asgi_py_may_name_other_settings_than_manage_py(tmp_path: Path) -> None:
    files = {
        **SIMPLE,
        "manage.py": manage("mysite.dev"),
        "mysite/dev.py": SETTINGS,
        "mysite/prod.py": SETTINGS,
        "mysite/asgi.py": manage("mysite.prod") + APPLICATION,
    }
    assert find(tmp_path, files).settings == "mysite.prod"


def test_a_default_of_a_variable_is_understood(tmp_path: Path) -> None:
    text = "import os, django\nos.environ['DJANGO_SETTINGS_MODULE'] = os.getenv('MODULE', 'mysite.settings')\n"
    assert find(tmp_path, {**SIMPLE, "manage.py": text}).settings == "mysite.settings"


def test_a_manage_py_for_python_2_still_names_its_settings(tmp_path: Path) -> None:
    text = manage("mysite.settings") + "print 'django'\n"
    assert find(tmp_path, {**SIMPLE, "manage.py": text}).settings == "mysite.settings"


def test_settings_of_the_manifest_have_to_exist(tmp_path: Path) -> None:
    write(tmp_path, SIMPLE)
    with pytest.raises(
        WrongManifest, match=r'settings = "config.settings": \. has no such module; found: mysite.settings'
    ):
        complete(Manifest(name="mysite", folder=tmp_path, settings="config.settings"))


# --- applications


def test_asgi_application_wins_where_it_has_the_sockets(tmp_path: Path) -> None:
    files = {
        **SIMPLE,
        "mysite/settings.py": SETTINGS + "ASGI_APPLICATION = 'mysite.routing.application'\n",
        "mysite/routing.py": APPLICATION,
    }
    assert find(tmp_path, files).asgi == "mysite.routing:application"


def test_asgi_py_wins_where_asgi_application_has_no_sockets(tmp_path: Path) -> None:
    files = {
        **SIMPLE,
        "mysite/settings.py": SETTINGS + "ASGI_APPLICATION = 'mysite.plain.application'\n",
        "mysite/plain.py": "application = get_asgi_application()\n",
    }
    found = find(tmp_path, files)
    assert found.asgi == "mysite.asgi:application"
    assert "ASGI_APPLICATION names mysite.plain:application, which has no WebSockets" in found.notes[0]


def test_an_application_that_does_not_exist_is_replaced(tmp_path: Path) -> None:
    lines = "ASGI_APPLICATION = 'gone.asgi.application'\nWSGI_APPLICATION = 'gone.wsgi.application'\n"
    found = find(tmp_path, {**SIMPLE, "mysite/settings.py": SETTINGS + lines})
    assert (found.asgi, found.wsgi) == ("mysite.asgi:application", "mysite.wsgi:application")
    assert len(found.notes) == 2


def test_a_project_without_applications_has_none(tmp_path: Path) -> None:
    found = find(tmp_path, {"manage.py": manage("mysite.settings"), "mysite/settings.py": SETTINGS})
    assert (found.asgi, found.wsgi) == ("", "")
    assert found.problems == []


# --- routes


@pytest.mark.parametrize(
    ("line", "pattern", "sample"),
    [
        (r"re_path(r'ws/chat/(?P<room>\w+)/$', C.as_asgi())", r"ws/chat/(?P<room>\w+)/$", "/ws/chat/probe/"),
        ("path('ws/<str:room>/', ChatConsumer.as_asgi())", "ws/<str:room>/", "/ws/probe/"),
        ("path('ws/game/<int:id>', consumers.GameConsumer.as_asgi())", "ws/game/<int:id>", "/ws/game/1"),
        ("url(r'^ws$', consumers.ChatConsumer)", "^ws$", "/ws"),
        ("re_path(r'', ChatConsumer.as_asgi())", "", "/"),
        (
            r"re_path(r'^ws/(?P<a>[^/]+)/(?P<b>[0-9]+)/?$', C.as_asgi())",
            r"^ws/(?P<a>[^/]+)/(?P<b>[0-9]+)/?$",
            "/ws/probe/1/",
        ),
        ("path('live/', URLRouter([path('a/', C.as_asgi())]))", "live/a/", "/live/a/"),
    ],
)
def test_a_socket_route_has_a_path_for_a_handshake(line: str, pattern: str, sample: str, tmp_path: Path) -> None:
    (route,) = find(tmp_path, {**SIMPLE, "chat/routing.py": f"\nwebsocket_urlpatterns = [\n    {line},\n]\n"}).sockets
    assert (route.pattern, route.sample) == (pattern, sample)
    assert (route.path, route.line) == (tmp_path / "chat/routing.py", 3)


def test_the_probe_is_the_first_route(tmp_path: Path) -> None:
    write(tmp_path, {**SIMPLE, "chat/routing.py": "r = [path('ws/a/', A.as_asgi()), path('ws/b/', B.as_asgi())]\n"})
    assert complete(Manifest(name="mysite", folder=tmp_path)).probe == "/ws/a/"
    assert complete(Manifest(name="mysite", folder=tmp_path, probe="/ws/b/")).probe == "/ws/b/"


URLS = "from django.urls import include, path\nurlpatterns = [{}]\n"


@pytest.mark.parametrize(
    ("routes", "home"),
    [
        ("path('', index)", "/"),
        ("path('chat/', index)", "/chat/"),
        ("path('admin/', admin.site.urls), path('api/x/', x), path('<int:id>/', y), path('rooms/', z)", "/rooms/"),
        ("path('chat/', include('chat.urls'))", "/chat/lobby/"),
        ("re_path(r'^.*$', spa)", "/"),
        ("url(r'^$', index)", "/"),
        ("url(r'^chat/$', index)", "/chat/"),
        ("path('admin/', admin.site.urls)", "/"),
    ],
)
def test_home_is_where_a_visitor_begins(routes: str, home: str, tmp_path: Path) -> None:
    files = {**SIMPLE, "mysite/urls.py": URLS.format(routes), "chat/urls.py": URLS.format("path('lobby/', lobby)")}
    assert find(tmp_path, files).home == home


# --- packages, variables


ROUTING = "websocket_urlpatterns = [re_path(r'ws/(?P<room>[^/]+)/$', ChatConsumer.as_asgi())]\n"


@pytest.mark.parametrize(
    ("routes", "home"),
    [
        ("path('admin/', a), path('chat/<str:room>/', b)", "/chat/lobby/"),
        ("url(r'^chat/(?P<room>\\w+)/$', b)", "/chat/lobby/"),
        ("path('chat/<int:room>/', b)", "/"),
        ("path('chat/<str:other>/', b)", "/"),
        ("path('chat/<str:room>/', b), path('about/', c)", "/about/"),
    ],
)
def test_a_room_of_the_visitors_choice_is_a_home(routes: str, home: str, tmp_path: Path) -> None:
    files = {**SIMPLE, "mysite/urls.py": URLS.format(routes), "chat/routing.py": ROUTING}
    assert find(tmp_path, files).home == home


@pytest.mark.parametrize(
    ("names", "chosen"),
    [
        (["requirements.txt", "requirements_dev.txt"], "requirements.txt"),
        (["requirements/base.txt", "requirements/production.txt"], "requirements/production.txt"),
        (["Pipfile", "Pipfile.lock"], "Pipfile.lock"),
        (["Requirements.txt"], "Requirements.txt"),
        (["docs/requirements.txt", "setup.cfg"], None),
        (["src/requirements.txt", "requirements.txt"], "src/requirements.txt"),
    ],
)
def test_the_file_with_the_packages_is_chosen(names: list[str], chosen: str | None, tmp_path: Path) -> None:
    files = {**below("src"), **dict.fromkeys(names, "Django\n")}
    found = find(tmp_path, files).requirement_files.chosen
    assert [path.relative_to(tmp_path).as_posix() for path in found] == ([chosen] if chosen else [])


@pytest.mark.parametrize("name", ["req.txt", "reqs.txt", "requirments.txt", "pip.txt", "packages.txt"])
def test_a_list_of_packages_under_another_name_is_found(name: str, tmp_path: Path) -> None:
    found = find(tmp_path, {**SIMPLE, name: "# packages\nDjango==5.2\nchannels[daphne]\n", "robots.txt": "django\n"})
    assert found.requirement_files.chosen == (tmp_path / name,)


def test_a_text_about_packages_is_no_list_of_them(tmp_path: Path) -> None:
    assert find(tmp_path, {**SIMPLE, "packages.txt": "Install Django first!\n"}).requirement_files.chosen == ()


NEEDS_POSTGRESQL = "from django.contrib.postgres.operations import CITextExtension\n"


@pytest.mark.parametrize(
    ("files", "fields", "needed"),
    [
        ({}, {}, False),
        ({"chat/migrations/0001_initial.py": NEEDS_POSTGRESQL}, {}, True),
        ({"chat/tests/test_fields.py": NEEDS_POSTGRESQL}, {}, False),
        ({"chat/migrations/0001_initial.py": NEEDS_POSTGRESQL}, {"database": "sqlite"}, False),
        ({"chat/migrations/0001_initial.py": NEEDS_POSTGRESQL}, {"database": "own"}, False),
        ({"chat/migrations/0002_index.py": "x = RunSQL('CREATE INDEX i ON m USING gin (body)')\n"}, {}, True),
        ({"chat/migrations/0002_index.py": "x = RunSQL('CREATE INDEX i ON m (body)')\n"}, {}, False),
        ({"stack.toml": 'name = "mysite"\ndatabase = "postgres"\n'}, {}, True),
    ],
)
def test_what_works_with_postgresql_alone_is_known(
    files: dict[str, str], fields: dict[str, str], needed: bool, tmp_path: Path
) -> None:
    write(tmp_path, {"stack.toml": 'name = "mysite"\n', **SIMPLE, **files})
    manifest = replace(read_manifest(tmp_path), **fields)  # type: ignore[arg-type]
    assert complete(manifest).needs_postgresql is needed


def test_a_secret_key_from_a_variable_gets_the_sites_key(tmp_path: Path) -> None:
    lines = "import environ\nenv = environ.Env()\nSECRET_KEY = env('DJANGO_SECRET')\n"
    write(tmp_path, {**SIMPLE, "mysite/settings.py": SETTINGS + lines})
    assert complete(Manifest(name="mysite", folder=tmp_path)).env.secret == "DJANGO_SECRET"


def test_a_source_that_is_no_project_is_a_problem(tmp_path: Path) -> None:
    with pytest.raises(WrongManifest, match=r"There is no manage\.py in"):
        complete(Manifest(name="mysite", folder=tmp_path))
