"""The app of accounts, guests and sessions."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class AccountsConfig(AppConfig):
    """Connects the signals, and lets tokens outlive a rotation of SECRET_KEY."""

    name = "accounts"
    verbose_name = _("People")

    def ready(self) -> None:
        """Import the receivers, which need the models, and replace the part of allauth that reads tokens."""
        from accounts import signals, token_keys  # noqa: F401, PLC0415

        token_keys.accept_former_keys()
