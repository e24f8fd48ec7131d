"""The Django app: the tables of channels_realtime.resume, and the script that a page includes."""

from django.apps import AppConfig


class RealtimeConfig(AppConfig):
    """Needed in INSTALLED_APPS by projects that use channels_realtime.resume; the rest of the package does without."""

    name = "channels_realtime"
    default_auto_field = "django.db.models.BigAutoField"
