"""The template tag `guest_form`, for the pages that a visitor without an account can see."""

from django import template
from django.conf import settings
from django.template.context import Context

from accounts.forms import GuestForm

register = template.Library()


@register.simple_tag(takes_context=True)
def guest_form(context: Context) -> GuestForm | None:
    """Return the form to join as a guest, or None if the site does not allow guests.

    It is the form that the view refused, or an empty one that keeps the page to which the visitor wanted to go.
    """
    if not settings.ALLOW_GUESTS:
        return None
    form = context.get("form")
    if isinstance(form, GuestForm):
        return form
    return GuestForm(initial={"next": context.get("come_back") or context["request"].GET.get("next", "")})
