"""A release prepares itself by the same steps on a host, in containers, on a platform and in `make run`.

The scripts are the real ones, in a copy of the repository whose application is small enough to be imported in no time.
"""

import os
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from deploy.failure_cause import LogLine, find_release_cause
from deploy.local.layout import REPO
from tests.nginx.served import free_ports

APPLICATION = {
    "stack.toml": 'name = "harbour"\n',
    "config/settings.py": """
import os
SECRET_KEY = os.environ["SECRET_KEY"]
ALLOWED_HOSTS = ["*"]
INSTALLED_APPS = ["django.contrib.staticfiles", "harbour"]
DATABASES = {"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": os.environ["DATABASE_URL"][len("sqlite:///"):]}}
CACHES = {"default": {"BACKEND": "django.core.cache.backends.db.DatabaseCache", "LOCATION": "cache"}}
STATIC_ROOT = os.environ["STATIC_ROOT"]
STATIC_URL = "/static/"
LOGGING = {"version": 1}
""",
    "config/wsgi.py": "application = print\n",
    "config/asgi.py": "application = print\n",
    "channels_realtime/server.py": "import config.asgi\n",
    "harbour/__init__.py": "",
    "harbour/management/commands/check_migrations.py": "from ops.management.commands.check_migrations import Command\n",
    "harbour/static/harbour.css": "body {}\n",
    "harbour/migrations/__init__.py": "",
    "harbour/migrations/0001_initial.py": """
from django.db import migrations, models
class Migration(migrations.Migration):
    initial = True
    fields = [("id", models.BigAutoField(primary_key=True)), ("name", models.TextField())]
    operations = [migrations.CreateModel("Boat", fields)]
""",
}
# The release before reads the column.
REFUSED = """
from django.db import migrations
class Migration(migrations.Migration):
    dependencies = [("harbour", "0001_initial")]
    operations = [migrations.RemoveField("boat", "name")]
"""
REASON = "harbour.0002_remove_name: "


class Release:
    """A copy of the repository with an application of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        for name in ("deploy", "docker", "nginx", "app/ops", "app/channels_stack"):
            shutil.copytree(REPO / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
        shutil.copy(REPO / "app" / "manage.py", folder / "app")
        (folder / ".venv").symlink_to(REPO / ".venv")
        for name, text in APPLICATION.items():
            self.write(name, text)
        self.database = folder / "var" / "parley.sqlite3"
        self.database.parent.mkdir()
        https, http = free_ports(2)
        self.environment = {
            "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
            "HOME": str(folder),
            "SECRET_KEY": "only-for-tests-" * 5,
            "DATABASE_URL": f"sqlite:///{self.database}",
            "STATIC_ROOT": str(folder / "var" / "static"),
            "REDIS_URL": "",
            "PYTHONDONTWRITEBYTECODE": "1",
            "STACK_VAR": str(folder / "var"),
            "STACK_ENV_FILE": os.devnull,
            "HTTPS_PORT": str(https),
            "HTTP_PORT": str(http),
        }

    def write(self, name: str, text: str) -> None:
        """Write a file of the application."""
        file = self.folder / "app" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)

    def run(self, *command: str) -> subprocess.CompletedProcess[str]:
        """Run a script of the release, given by its path in it."""
        script, *arguments = command
        return subprocess.run(
            [str(self.folder / script), *arguments],
            cwd=self.folder / "app",
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=120,
            check=False,
        )

    def tables(self) -> set[str]:
        with sqlite3.connect(self.database) as connection:
            return {name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}

    def columns(self) -> set[str]:
        """The columns of the table that the refused migration would change."""
        with sqlite3.connect(self.database) as connection:
            return {row[1] for row in connection.execute("PRAGMA table_info(harbour_boat)")}


@pytest.fixture
def release(tmp_path: Path) -> Release:
    return Release(tmp_path / "parley")


@pytest.fixture
def next_release(release: Release) -> Release:
    """It follows one that serves, and brings a migration on which that one could not run."""
    migrated = release.run("deploy/release_steps.py", "--skip", "import_servers", "--skip", "collect_static_files")
    assert migrated.returncode == 0, migrated.stdout
    release.write("harbour/migrations/0002_remove_name.py", REFUSED)
    return release


def find_cause(ended: subprocess.CompletedProcess[str]) -> str:
    """Return what deploy/release.py tells of a release with this output."""
    return find_release_cause([LogLine(line) for line in ended.stdout.splitlines()])


PLACES: dict[str, Callable[[Release], subprocess.CompletedProcess[str]]] = {
    "a host": lambda release: release.run("deploy/pre-release"),
    "a host whose units are of the release before": lambda release: release.run("deploy/prepare"),
    "a container": lambda release: release.run("docker/entrypoint", "release"),
    "a platform": lambda release: release.run("deploy/platform.sh"),
    "make run": lambda release: release.run(".venv/bin/python", str(release.folder / "deploy" / "run.py")),
}


@pytest.mark.parametrize("place", PLACES)
def test_a_migration_that_breaks_the_release_before_stops_the_release(place: str, next_release: Release) -> None:
    ended = PLACES[place](next_release)
    assert ended.returncode == 1, ended.stdout
    assert f"the release step check_migrations failed: {REASON}" in ended.stdout
    assert ("deploy/prepare is now deploy/pre-release" in ended.stdout) == place.endswith("of the release before")
    assert next_release.columns() == {"id", "name"}
    assert not (next_release.folder / "var" / "static").exists()


def test_a_migration_that_was_judged_is_applied(next_release: Release) -> None:
    script = next_release.folder / "deploy" / "release_steps.py"
    accepted = 'ACCEPTED_MIGRATIONS: tuple[str, ...] = ("harbour.0002_remove_name",)'
    script.write_text(script.read_text().replace("ACCEPTED_MIGRATIONS: tuple[str, ...] = ()", accepted))
    ended = next_release.run("deploy/pre-release")
    assert ended.returncode == 0, ended.stdout
    assert next_release.columns() == {"id"}


def test_the_first_release_of_a_site_takes_every_step(release: Release) -> None:
    ended = release.run("deploy/pre-release")
    assert ended.returncode == 0, ended.stdout
    assert {"harbour_boat", "cache"} <= release.tables()
    published = release.folder / "var" / "static" / "harbour.css"
    assert published.stat().st_mode & 0o044 == 0o044, "nginx reads it"


@pytest.mark.parametrize("module", ["config/wsgi.py", "config/asgi.py", "channels_realtime/server.py"])
def test_a_release_that_a_server_cannot_import_changes_nothing(release: Release, module: str) -> None:
    release.write(module, "raise RuntimeError('this release is broken')\n")
    ended = release.run("deploy/pre-release")
    assert ended.returncode == 1
    assert "this release is broken" in ended.stdout
    assert find_cause(ended) == "the release step import_servers failed: RuntimeError: this release is broken"
    assert not release.database.exists()


def test_the_cause_names_the_migration_and_the_exception(release: Release) -> None:
    release.write(
        "harbour/migrations/0002_fill.py",
        """
from django.db import migrations
def fill(apps, schema_editor):
    raise KeyError("mooring")
class Migration(migrations.Migration):
    dependencies = [("harbour", "0001_initial")]
    operations = [migrations.RunPython(fill)]
""",
    )
    ended = release.run("deploy/release_steps.py", "--skip", "import_servers", "--skip", "check_migrations")
    assert ended.returncode == 1
    assert find_cause(ended) == "the release step migrate failed at harbour.0002_fill: KeyError: 'mooring'"


def test_a_wrong_setting_is_one_sentence(release: Release) -> None:
    release.write(
        "config/settings.py", "from django.core.exceptions import ImproperlyConfigured as I\nraise I('No.')\n"
    )
    ended = release.run("deploy/release_steps.py", "--skip", "import_servers")
    assert (ended.returncode, ended.stdout.splitlines()[1:]) == (1, ["the release step check_migrations failed: No."])


def test_a_database_that_cannot_be_used_is_named(release: Release) -> None:
    release.database.mkdir()
    ended = release.run("deploy/release_steps.py", "--skip", "import_servers", "--quiet")
    assert ended.returncode == 1
    (sentence,) = ended.stdout.splitlines()
    assert sentence.startswith(f"the release step check_migrations failed: the database {release.database} cannot be")
