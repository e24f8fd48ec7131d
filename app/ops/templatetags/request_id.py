from django import template

from ops.logs import REQUEST_ID

register = template.Library()


@register.simple_tag
def request_id() -> str:
    """The id under which this request is logged. A tag: the page for a bug of ours is made without a context."""
    return REQUEST_ID.get()
