"""Whoever signs out, changes their password or is shut out is to be gone from live sockets, too, and at once."""

from collections.abc import Collection
from typing import Any

from django.contrib.auth import SESSION_KEY
from django.contrib.sessions.models import Session
from django.db.models.signals import post_delete, post_save
from django.dispatch import receiver
from django.utils import timezone

from accounts.models import User
from realtime.publisher import notify_user

HARMLESS = {"last_login", "display_name", "first_name", "last_name", "email"}  # no session depends on these


@receiver(post_delete, sender=Session)
def session_ended(instance: Session, **_: Any) -> None:
    """However it ended: signed out, a token family that was stolen, the admin."""
    if instance.expire_date > timezone.now() and (key := instance.get_decoded().get(SESSION_KEY)):
        notify_user(int(key))


@receiver(post_save, sender=User)
def user_changed(instance: User, created: bool, update_fields: Collection[str] | None, **_: Any) -> None:
    """Also where it was changed by a form, a command, the admin: a new password ends the sessions of the old one."""
    if not created and (update_fields is None or not HARMLESS.issuperset(update_fields)):
        notify_user(instance.pk)
