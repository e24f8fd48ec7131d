"""The app of the chat."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class ChatConfig(AppConfig):
    """The app's name in the administration."""

    name = "chat"
    verbose_name = _("Rooms")
