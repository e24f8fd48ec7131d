"""The app of what operators need: health checks, metrics, logs, backups, and checks of migrations."""

import logging

from django.apps import AppConfig
from django.conf import settings
from django.db.backends.signals import connection_created


class OpsConfig(AppConfig):
    """Starts what needs complete settings and configured logging."""

    name = "ops"

    def ready(self) -> None:
        """Log the deprecated variables in use, and time every SQL statement from now on."""
        from channels_stack.metrics import time_statements  # noqa: PLC0415  once the settings are read

        for warning in settings.DEPRECATION_WARNINGS:
            logging.getLogger(__name__).warning(warning)
        connection_created.connect(time_statements)
