"""The guests' form, wherever somebody who is not signed in may want it."""

from django import template
from django.conf import settings
from django.template.context import Context

from accounts.forms import GuestForm

register = template.Library()


@register.simple_tag(takes_context=True)
def guest_form(context: Context) -> GuestForm | None:
    """The form that was refused, or an empty one that keeps where its visitor was going; None without guests."""
    if not settings.ALLOW_GUESTS:
        return None
    form = context.get("form")
    if isinstance(form, GuestForm):
        return form
    return GuestForm(initial={"next": context.get("come_back") or context["request"].GET.get("next", "")})
