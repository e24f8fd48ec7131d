"""Where people talk, and the counter that orders everything said there."""

import re
import unicodedata
from typing import TYPE_CHECKING, ClassVar, Self

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import connection, models
from django.utils.translation import gettext_lazy as _

from chat import limits

if TYPE_CHECKING:
    from accounts.models import User

# Open rooms are named by people. Private and direct ones have a random name in a space of its own (~), so that
# choosing a name never tells whether a hidden room has it.
HIDDEN_SLUG = re.compile(r"~[A-Za-z0-9_-]{16}")
MARKS = 3  # in a row, at most: Hindi, Thai, Vietnamese need fewer, towers of accents more
UNSEEN = frozenset("\u034f\u17b4\u17b5\u180b\u180c\u180d\u180f") | {chr(code) for code in range(0xFE00, 0xFE10)}


def is_open_slug(text: str) -> bool:
    """Whether an open room can have this name: letters, digits and their marks, hyphens, underscores."""
    if not 0 < len(text) <= limits.SLUG_CHARS or not text[0].isalnum():
        return False
    marks = 0
    for char in text:
        marks = marks + 1 if unicodedata.category(char) in ("Mn", "Mc") and char not in UNSEEN else 0
        if marks > MARKS or not (marks or char.isalnum() or char in "-_"):
            return False
    return True


def is_slug(text: str) -> bool:
    """Whether a room can have this name. Ask before the database: PostgreSQL fails on text that is none to it."""
    return is_open_slug(text) or HIDDEN_SLUG.fullmatch(text) is not None


def validate_slug(text: str) -> None:
    """Raises ValidationError for what can be no room's slug."""
    if not is_slug(text):
        raise ValidationError(_("A room cannot have this name."), code="slug")


class RoomQuerySet(models.QuerySet["Room"]):
    def joined_by(self, user: "User") -> Self:
        """The only way to a room: through one's own membership."""
        return self.filter(memberships__user=user, memberships__state="joined")

    def with_role(self, user: "User", *roles: str) -> Self:
        """Those in which the user is one of these."""
        return self.filter(memberships__user=user, memberships__state="joined", memberships__role__in=roles)

    def named(self, slug: str) -> Self:
        """The room with this slug."""
        return self.filter(slug=slug) if is_slug(slug) else self.none()


class Room(models.Model):
    """`head` counts the lasting changes here, one event each; `floor` is the count below which nothing is kept."""

    class Kind(models.TextChoices):
        OPEN = "open", _("open")  # anybody who knows the name may join
        PRIVATE = "private", _("private")  # by invitation
        DIRECT = "direct", _("direct")  # exactly two people

    slug = models.CharField(
        _("name in the address"),
        max_length=limits.SLUG_CHARS,
        unique=True,
        validators=[validate_slug],
    )
    title = models.CharField(_("title"), max_length=limits.TITLE_CHARS, blank=True)
    topic = models.CharField(_("topic"), max_length=limits.TOPIC_CHARS, blank=True)
    kind = models.CharField(_("kind"), max_length=8, choices=Kind, default=Kind.OPEN)
    # Its profile. Empty: limits.BODY_CHARS, and everything is kept.
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
        """Characters that a message here may have."""
        return self.body_chars or limits.BODY_CHARS

    @property
    def stream(self) -> str:
        """The name under which the hub carries this room's events."""
        return f"room.{self.pk}"

    def advance(self, changes: int = 1) -> int:
        """Count one or more changes, and return the count after them.

        Call it first in the transaction that makes the changes: the row stays locked until commit, so changes are
        committed in the order of their counts.
        """
        with connection.cursor() as cursor:
            cursor.execute("UPDATE chat_room SET head = head + %s WHERE id = %s RETURNING head", [changes, self.pk])
            (self.head,) = cursor.fetchone()
        return self.head
