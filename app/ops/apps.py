from django.apps import AppConfig
from django.db.backends.signals import connection_created


class OpsConfig(AppConfig):
    name = "ops"

    def ready(self) -> None:
        from ops.metrics import time_statements  # noqa: PLC0415  once the settings are read

        connection_created.connect(time_statements)
