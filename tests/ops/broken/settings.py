"""Parley with mistakes in a view, in a command of the sockets, and in one of manage.py: see apps.py."""

from config.settings import *  # noqa: F403
from config.settings import INSTALLED_APPS

INSTALLED_APPS = [*INSTALLED_APPS, "tests.ops.broken.apps.Broken"]
ROOT_URLCONF = "tests.ops.broken.urls"
