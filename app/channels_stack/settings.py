"""The settings module of every process of a site: the project's settings with the overlay.

DJANGO_SETTINGS_MODULE names this module, and wins over the `setdefault` in a project's manage.py, wsgi.py and asgi.py.
"""

import importlib
import os

from django.db.backends.signals import connection_created

from channels_stack import compatibility, credentials
from channels_stack.description import load_site
from channels_stack.overlay import Secrets, apply_overlay
from channels_stack.sqlite_connections import prepare_connection

_site = load_site()
credentials.export_credentials(_site.name)
compatibility.apply()
_project = importlib.import_module(_site.settings)
# What the project itself has set. The name is in lower case, so it is no setting of Django.
project_settings = {name: value for name, value in vars(_project).items() if name.isupper()}
_overlay = apply_overlay(
    project_settings,
    _site,
    Secrets(
        secret_key=os.environ.get("SECRET_KEY", ""),
        secret_key_fallbacks=os.environ.get("SECRET_KEY_FALLBACKS", ""),
        session_hash_key=os.environ.get("SESSION_HASH_KEY", ""),
        database_url=os.environ.get("DATABASE_URL", ""),
    ),
)
globals().update(_overlay.settings)
# A project that imports its settings module, instead of django.conf.settings, sees the same values.
for _override in _overlay.overrides:
    setattr(_project, _override.name, _overlay.settings[_override.name])
if _site.database == "given":
    connection_created.connect(prepare_connection)
