"""Closes the WebSockets of users who sign out, change their password or are deactivated."""

from collections.abc import Collection
from typing import Any

from django.contrib.sessions.models import Session
from django.db.models.signals import post_delete, post_save
from django.dispatch import receiver
from django.utils import timezone

from accounts.models import User
from accounts.sessions import get_user_id
from channels_realtime.publisher import notify_user

# No session depends on these fields.
IGNORED_FIELDS = {"last_login", "display_name", "first_name", "last_name", "email"}


@receiver(post_delete, sender=Session)
def notify_ended_session(instance: Session, **_: Any) -> None:
    """Let the user's WebSockets check their session, also when the admin or a reused token ended it."""
    if instance.expire_date > timezone.now() and (user_id := get_user_id(instance)) is not None:
        notify_user(user_id)


@receiver(post_save, sender=User)
def notify_changed_user(instance: User, created: bool, update_fields: Collection[str] | None, **_: Any) -> None:
    """Let the user's WebSockets check their session after a change by a form, a command or the admin.

    A new password ends the sessions of the old one.
    """
    if not created and (update_fields is None or not IGNORED_FIELDS.issuperset(update_fields)):
        notify_user(instance.pk)
