"""The template tag `site_status`, for the first page of the administration."""

from typing import Any

from django import template

from ops.status import get_status

register = template.Library()


@register.inclusion_tag("ops/status.html")
def site_status() -> dict[str, Any]:
    """Render the state of each part of the site: release, database, Redis, sockets, certificate."""
    return {"status": get_status()}
