"""A message in a room."""

from collections.abc import Sequence
from typing import ClassVar

from django.conf import settings
from django.db import connection, models
from django.utils.translation import gettext_lazy as _

from accounts.models import NAME_CHARS


class MessageManager(models.Manager["Message"]):
    """Inserts messages fast."""

    def store(self, messages: Sequence["Message"]) -> None:
        """Insert new messages and set their ids, as bulk_create does.

        Every message is stored here. Django would take longer to build the statement than the database to run it.
        """
        fields = [f for f in self.model._meta.concrete_fields if not f.primary_key]  # noqa: SLF001  a documented API
        columns = ", ".join(str(field.column) for field in fields)
        rows = ", ".join([f"({', '.join(['%s'] * len(fields))})"] * len(messages))
        values = [
            field.get_db_prep_save(getattr(one, field.attname), connection) for one in messages for field in fields
        ]
        with connection.cursor() as cursor:
            cursor.execute(f"INSERT INTO chat_message ({columns}) VALUES {rows} RETURNING id", values)  # noqa: S608
            for message, (pk,) in zip(messages, cursor.fetchall(), strict=True):
                message.pk = pk


class Message(models.Model):
    """A message in a room. `seq` is its position; `rev` is the room's head when it last changed."""

    room = models.ForeignKey("Room", on_delete=models.CASCADE, related_name="messages", verbose_name=_("room"))
    # Messages are kept: a user who has written some cannot be deleted.
    author = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="messages", verbose_name=_("author")
    )
    seq = models.PositiveBigIntegerField(_("position"), editable=False)
    rev = models.PositiveBigIntegerField(editable=False)
    cid = models.UUIDField(editable=False)  # the client's id for it, the idempotency key
    # The name of the author on another system, when a bot posts it.
    alias = models.CharField(max_length=NAME_CHARS, default="", db_default="", editable=False)
    body = models.TextField(_("text"), blank=True)
    reply_to = models.ForeignKey("Message", on_delete=models.SET_NULL, null=True, blank=True, related_name="+")
    created_at = models.DateTimeField(_("sent"))
    edited_at = models.DateTimeField(_("edited"), null=True, blank=True)
    deleted_at = models.DateTimeField(_("deleted"), null=True, blank=True)

    objects: ClassVar[MessageManager] = MessageManager()

    class Meta:
        verbose_name = _("message")
        verbose_name_plural = _("messages")
        constraints = [
            # A client that did not receive the acknowledgement sends again; the message must be stored once.
            models.UniqueConstraint(fields=["author", "cid"], name="message_sent_once"),
            models.UniqueConstraint(fields=["room", "seq"], name="one_message_a_place"),
            models.UniqueConstraint(fields=["room", "rev"], name="one_message_a_change"),
            # A deleted message has no body.
            models.CheckConstraint(
                condition=models.Q(deleted_at=None) | models.Q(body=""), name="deleted_messages_are_empty"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.author} in {self.room} at {self.seq}"
