"""Who is here."""

from django.contrib.auth.models import AbstractUser
from django.db import models
from django.utils.translation import gettext_lazy as _

NAME_CHARS = 20  # of the name others see, at most


class User(AbstractUser):
    """Somebody who chats: with an account, or a guest who gave just a name and has no password.

    A bot is no person: an integration posts as it, under names that it reports.
    """

    display_name = models.CharField(_("display name"), max_length=NAME_CHARS, blank=True)
    is_guest = models.BooleanField(_("guest"), default=False)
    is_bot = models.BooleanField(_("bot"), default=False, db_default=False, editable=False)

    @property
    def name(self) -> str:
        """What others see."""
        return self.display_name or self.username
