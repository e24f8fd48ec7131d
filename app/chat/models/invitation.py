"""A link into a private room."""

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _


class Invitation(models.Model):
    """Users with the link can join until it expires; deleting the row revokes it. `digest` is the hash of its token."""

    room = models.ForeignKey("Room", on_delete=models.CASCADE, related_name="invitations", verbose_name=_("room"))
    made_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+", verbose_name=_("created by")
    )
    digest = models.CharField(max_length=64, unique=True, editable=False)
    created_at = models.DateTimeField(_("created at"), auto_now_add=True)
    expires_at = models.DateTimeField(_("expires at"))

    class Meta:
        verbose_name = _("invitation")
        verbose_name_plural = _("invitations")

    def __str__(self) -> str:
        return f"to {self.room} until {self.expires_at:%Y-%m-%d %H:%M}"
