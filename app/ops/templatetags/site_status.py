from typing import Any

from django import template

from ops.status import get_status

register = template.Library()


@register.inclusion_tag("ops/status.html")
def site_status() -> dict[str, Any]:
    """A line for the front page of the admin."""
    return {"status": get_status()}
