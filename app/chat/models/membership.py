"""Who is in which room."""

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _


class Membership(models.Model):
    """Somebody's standing in a room. The row stays when they leave, so that returning clients learn of it."""

    class Role(models.TextChoices):
        OWNER = "owner", _("owner")
        MODERATOR = "moderator", _("moderator")
        MEMBER = "member", _("member")

    class State(models.TextChoices):
        JOINED = "joined", _("joined")
        LEFT = "left", _("left")
        KICKED = "kicked", _("removed")  # may come again as anybody may
        BANNED = "banned", _("banned")

    room = models.ForeignKey("Room", on_delete=models.CASCADE, related_name="memberships", verbose_name=_("room"))
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="memberships", verbose_name=_("user")
    )
    role = models.CharField(_("role"), max_length=9, choices=Role, default=Role.MEMBER)
    state = models.CharField(_("status"), max_length=6, choices=State, default=State.JOINED)
    rev = models.PositiveBigIntegerField(_("last change"), editable=False)  # the room's head when this last changed
    read_seq = models.PositiveBigIntegerField(_("read up to"), default=0)  # messages above it are unread
    joined_at = models.DateTimeField(_("joined at"), auto_now_add=True)

    class Meta:
        verbose_name = _("membership")
        verbose_name_plural = _("memberships")
        constraints = [models.UniqueConstraint(fields=["room", "user"], name="one_membership_each")]
        indexes = [models.Index(fields=["room", "rev"], name="membership_changes")]

    def __str__(self) -> str:
        return f"{self.user} in {self.room}"
