"""The user model."""

from django.contrib.auth.models import AbstractUser
from django.db import models
from django.utils.translation import gettext_lazy as _

NAME_CHARS = 20  # at most, of a display name


class User(AbstractUser):
    """A person with an account, a guest who gave only a name and has no password, or the bot of an integration."""

    display_name = models.CharField(_("display name"), max_length=NAME_CHARS, blank=True)
    is_guest = models.BooleanField(_("guest"), default=False)
    is_bot = models.BooleanField(_("bot"), default=False, db_default=False, editable=False)

    @property
    def name(self) -> str:
        """The name that others see."""
        return self.display_name or self.username
