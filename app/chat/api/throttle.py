"""How often one user may write over HTTP."""

from typing import TYPE_CHECKING

from rest_framework.request import Request
from rest_framework.throttling import UserRateThrottle

if TYPE_CHECKING:
    from rest_framework.views import APIView


class WriteThrottle(UserRateThrottle):
    """Counts what changes something; reading is free here (nginx bounds it)."""

    scope = "writes"

    def allow_request(self, request: Request, view: "APIView") -> bool:
        return request.method in ("GET", "HEAD", "OPTIONS") or super().allow_request(request, view)
