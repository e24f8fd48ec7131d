"""The app of accounts, guests and sessions."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class AccountsConfig(AppConfig):
    """Connects the signals."""

    name = "accounts"
    verbose_name = _("People")

    def ready(self) -> None:
        """Import the receivers."""
        from accounts import signals  # noqa: F401, PLC0415  models are loaded only now
