"""A room, and the counter that orders its changes."""

from typing import TYPE_CHECKING, ClassVar, Self

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import connection, models
from django.utils.translation import gettext_lazy as _

from chat import limits
from chat.slugs import is_slug

if TYPE_CHECKING:
    from accounts.models import User


def validate_slug(text: str) -> None:
    """Raise ValidationError for a text that no room can have as its slug."""
    if not is_slug(text):
        raise ValidationError(_("A room cannot have this name."), code="slug")


class RoomQuerySet(models.QuerySet["Room"]):
    """Finds rooms by their members and slugs."""

    def joined_by(self, user: "User") -> Self:
        """Return the rooms that the user is in. Every access of a user to a room goes through this."""
        return self.filter(memberships__user=user, memberships__state="joined")

    def with_role(self, user: "User", *roles: str) -> Self:
        """Return the rooms that the user is in with one of these roles."""
        return self.filter(memberships__user=user, memberships__state="joined", memberships__role__in=roles)

    def named(self, slug: str) -> Self:
        """Return the room with this slug, or none."""
        return self.filter(slug=slug) if is_slug(slug) else self.none()


class Room(models.Model):
    """A room. `head` counts its lasting changes, one event each; messages up to the change `floor` are deleted."""

    class Kind(models.TextChoices):
        """Who can join a room."""

        OPEN = "open", _("open")  # every user who knows the name
        PRIVATE = "private", _("private")  # users with an invitation
        DIRECT = "direct", _("direct")  # exactly two users

    slug = models.CharField(
        _("name in the address"),
        max_length=limits.SLUG_CHARS,
        unique=True,
        validators=[validate_slug],
    )
    title = models.CharField(_("title"), max_length=limits.TITLE_CHARS, blank=True)
    topic = models.CharField(_("topic"), max_length=limits.TOPIC_CHARS, blank=True)
    kind = models.CharField(_("kind"), max_length=8, choices=Kind, default=Kind.OPEN)
    # The room's limits. Empty: limits.BODY_CHARS characters, and all messages are kept.
    body_chars = models.PositiveSmallIntegerField(
        _("maximum message length, in characters"),
        null=True,
        blank=True,
        validators=[MinValueValidator(1), MaxValueValidator(limits.BODY_CHARS)],
    )
    max_messages = models.PositiveIntegerField(
        _("maximum number of messages"), null=True, blank=True, validators=[MinValueValidator(1)], db_column="keep"
    )
    pair = models.CharField(max_length=41, blank=True, editable=False)  # "lower id:higher id" of a direct room
    head = models.PositiveBigIntegerField(_("number of changes"), default=0, editable=False)
    floor = models.PositiveBigIntegerField(_("deleted up to position"), default=0, editable=False)
    rev = models.PositiveBigIntegerField(default=0, editable=False)  # head when the room itself last changed
    created_at = models.DateTimeField(_("created at"), auto_now_add=True)
    members = models.ManyToManyField(settings.AUTH_USER_MODEL, through="Membership", related_name="rooms")

    objects: ClassVar[models.Manager["Room"]] = RoomQuerySet.as_manager()

    class Meta:
        verbose_name = _("room")
        verbose_name_plural = _("rooms")
        constraints = [
            models.UniqueConstraint(fields=["pair"], condition=models.Q(kind="direct"), name="one_direct_room_a_pair"),
            models.CheckConstraint(
                condition=(models.Q(kind="direct") & ~models.Q(pair=""))
                | (~models.Q(kind="direct") & models.Q(pair="")),
                name="direct_rooms_have_a_pair",
            ),
        ]

    def __str__(self) -> str:
        return self.title or self.slug

    @property
    def max_body_length(self) -> int:
        """How many characters a message in this room may have."""
        return self.body_chars or limits.BODY_CHARS

    @property
    def stream(self) -> str:
        """The name of the hub's stream of this room's events."""
        return f"room.{self.pk}"

    def advance(self, changes: int = 1) -> int:
        """Add to `head` and return the new value.

        Call it first in the transaction that makes the changes. The row stays locked until the commit, so that changes
        are committed in the order of their numbers.
        """
        with connection.cursor() as cursor:
            cursor.execute("UPDATE chat_room SET head = head + %s WHERE id = %s RETURNING head", [changes, self.pk])
            (self.head,) = cursor.fetchone()
        return self.head
