"""The Channels tutorial with the change that the README of channels_realtime shows, as a project for tests."""

import re
import shutil
from pathlib import Path

from tests.stack.guest import REPO, GuestProject

TUTORIAL = REPO / "tests" / "guests" / "tutorial"
README = REPO / "app" / "channels_realtime" / "README.md"

SETTINGS = """
from mysite.settings import *
ALLOWED_HOSTS = ["localhost", "127.0.0.1"]
INSTALLED_APPS = [*INSTALLED_APPS, "channels_realtime"]
DATABASES = {{"default": {{"ENGINE": "django.db.backends.sqlite3", "NAME": "{folder}/guest.sqlite3"}}}}
BACKEND = "channels_realtime.channel_layer.ChannelLayer"
CHANNEL_LAYERS = {{"default": {{"BACKEND": BACKEND, "CONFIG": {{"hosts": ["unix://{folder}/redis.sock"]}}}}}}
ASGI_APPLICATION = "served.application"
STATIC_URL = "/static/"
"""
# On the stack nginx serves the static files.
SERVED = """
from django.contrib.staticfiles.handlers import ASGIStaticFilesHandler
from mysite.asgi import application
application = ASGIStaticFilesHandler(application)
"""


def read_diff() -> dict[str, list[tuple[str, str]]]:
    """Return the changes that the README shows: for each file its (old line, new line) pairs, "" for no old line."""
    changes: dict[str, list[tuple[str, str]]] = {}
    for name, body in re.findall(r"```diff\n--- (\S+)\n(.*?)```", README.read_text(), re.DOTALL):
        removed: list[str] = []
        pairs = changes.setdefault(name, [])
        for line in body.splitlines():
            if line.startswith("-"):
                removed.append(line[1:].strip())
            elif line.startswith("+"):
                pairs.append((removed.pop(0) if removed else "", line[1:].strip()))
            elif line.strip():
                pairs.append((line.strip(), line.strip()))  # context: the place of a line that is added
        assert not removed, removed
    return changes


def apply_diff(folder: Path) -> dict[str, int]:
    """Apply the README's change to a copy of the tutorial. Returns how many lines of each file are new."""
    counts = {}
    for name, pairs in read_diff().items():
        path = folder / name
        lines = path.read_text().splitlines()
        place = 0
        for old, new in pairs:
            if old:
                place = next(number for number in range(place, len(lines)) if lines[number].strip() == old)
                lines[place] = lines[place].replace(old, new)
            else:
                lines.insert(place, new)
            place += 1
        before = path.read_text().splitlines()
        path.write_text("\n".join(lines) + "\n")
        counts[name] = len(lines) - sum(1 for line in lines if line in before)
    return counts


def make_project(folder: Path, *, python: Path | None = None) -> GuestProject:
    """Copy the tutorial, change it and migrate its database. `python` is as for GuestProject."""
    shutil.copytree(TUTORIAL, folder)
    apply_diff(folder)
    (folder / "served.py").write_text(SERVED)
    project = GuestProject(folder, SETTINGS.format(folder=folder), python)
    project.manage("migrate")
    return project
