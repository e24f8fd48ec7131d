"""The template tag `request_id`, for the error pages."""

from django import template

from channels_stack.logs import REQUEST_ID

register = template.Library()


@register.simple_tag
def request_id() -> str:
    """Return the id under which this request is logged.

    This is a tag and no context variable, because Django renders the page for an internal error without a context.
    """
    return REQUEST_ID.get()
