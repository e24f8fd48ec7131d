"""People who come with just a name: no password, no way back once their session ends."""

import secrets

from django.contrib.auth.validators import UnicodeUsernameValidator
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from accounts.models import User
from accounts.names import clean_name

USERNAME_PREFIX = "guest-"  # nobody can sign up with it


def make_guest(name: str) -> User:
    """Store a new guest, and return it. Two guests may have the same name. Raises ValidationError for a bad one."""
    guest = User(username=USERNAME_PREFIX + secrets.token_hex(8), display_name=clean_name(name), is_guest=True)
    guest.set_unusable_password()
    guest.save()
    return guest


def not_a_guests(username: str) -> None:
    """Raises ValidationError for a name that only a guest may have."""
    if username.casefold().startswith(USERNAME_PREFIX):
        said = _("Names that start with %(prefix)s are reserved for guests.") % {"prefix": USERNAME_PREFIX}
        raise ValidationError(said, code="reserved")


USERNAME_VALIDATORS = [UnicodeUsernameValidator(), not_a_guests]  # of those who sign up, on a page or by a program
