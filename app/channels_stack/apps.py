"""The Django app of the stack. It has no models."""

from django.apps import AppConfig
from django.conf import settings

from channels_stack import session_hash


class ChannelsStackConfig(AppConfig):
    """Gives the HMACs of sessions a key of their own, where the settings have one."""

    name = "channels_stack"

    def ready(self) -> None:
        """Use the key."""
        if key := getattr(settings, session_hash.SETTING, ""):
            session_hash.use_key(key)
