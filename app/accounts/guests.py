"""Guests: users who give only a name. They have no password and cannot return once their session ends."""

import secrets

from django.contrib.auth.validators import UnicodeUsernameValidator
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from accounts.models import User
from accounts.names import clean_name

USERNAME_PREFIX = "guest-"  # no account can have it


def make_guest(name: str) -> User:
    """Store a new guest and return it. Two guests may have the same name.

    Raises:
        ValidationError: The name is not valid; see clean_name.
    """
    guest = User(username=USERNAME_PREFIX + secrets.token_hex(8), display_name=clean_name(name), is_guest=True)
    guest.set_unusable_password()
    guest.save()
    return guest


def validate_not_guest_prefix(username: str) -> None:
    """Raise ValidationError for a username that only a guest may have."""
    if username.casefold().startswith(USERNAME_PREFIX):
        text = _("Names that start with %(prefix)s are reserved for guests.") % {"prefix": USERNAME_PREFIX}
        raise ValidationError(text, code="reserved")


USERNAME_VALIDATORS = [UnicodeUsernameValidator(), validate_not_guest_prefix]  # of new accounts
