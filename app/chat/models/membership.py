"""The membership of a user in a room."""

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _


class Membership(models.Model):
    """A user's role and state in a room. The row stays when the membership ends: resuming clients need it."""

    class Role(models.TextChoices):
        """What a member may do: an owner is above moderators, and they are above members."""

        OWNER = "owner", _("owner")
        MODERATOR = "moderator", _("moderator")
        MEMBER = "member", _("member")

    class State(models.TextChoices):
        """Whether the user is in the room, or why not."""

        JOINED = "joined", _("joined")
        LEFT = "left", _("left")
        KICKED = "kicked", _("removed")  # can join again as other users can
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
