"""What was said."""

from collections.abc import Sequence
from typing import ClassVar

from django.conf import settings
from django.db import connection, models
from django.utils.translation import gettext_lazy as _

from accounts.models import NAME_CHARS


class MessageManager(models.Manager["Message"]):
    def store(self, messages: Sequence["Message"]) -> None:
        """bulk_create: insert new messages, and give each its id.

        Every message passes here, and Django would take longer to write the statement than the database to do it.
        """
        fields = [f for f in self.model._meta.concrete_fields if not f.primary_key]  # noqa: SLF001  Django's documented way
        columns = ", ".join(field.attname for field in fields)
        rows = ", ".join([f"({', '.join(['%s'] * len(fields))})"] * len(messages))
        values = [
            field.get_db_prep_save(getattr(one, field.attname), connection) for one in messages for field in fields
        ]
        with connection.cursor() as cursor:
            cursor.execute(f"INSERT INTO chat_message ({columns}) VALUES {rows} RETURNING id", values)  # noqa: S608
            for message, (pk,) in zip(messages, cursor.fetchall(), strict=True):
                message.pk = pk


class Message(models.Model):
    """One thing said in a room; `seq` is its place, `rev` the room's head when it last changed."""

    room = models.ForeignKey("Room", on_delete=models.CASCADE, related_name="messages", verbose_name=_("room"))
    # Words outlive accounts: deleting somebody who has spoken is refused.
    author = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="messages", verbose_name=_("author")
    )
    seq = models.PositiveBigIntegerField(_("position"), editable=False)
    rev = models.PositiveBigIntegerField(editable=False)
    cid = models.UUIDField(editable=False)  # made up by the client that sent it
    # Whom a bot quotes.
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
            # A browser that lost the reply sends again; the room must not see it twice.
            models.UniqueConstraint(fields=["author", "cid"], name="message_sent_once"),
            models.UniqueConstraint(fields=["room", "seq"], name="one_message_a_place"),
            models.UniqueConstraint(fields=["room", "rev"], name="one_message_a_change"),
            # A tombstone holds no words.
            models.CheckConstraint(
                condition=models.Q(deleted_at=None) | models.Q(body=""), name="deleted_messages_are_empty"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.author} in {self.room} at {self.seq}"
