"""Parley with mistakes in a view, in a command of a socket and in a management command: see apps.py."""

from config.settings import *  # noqa: F403
from config.settings import INSTALLED_APPS

INSTALLED_APPS = [*INSTALLED_APPS, "tests.ops.broken.apps.Broken"]
ROOT_URLCONF = "tests.ops.broken.urls"
