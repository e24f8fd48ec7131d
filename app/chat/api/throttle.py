"""The rate limit of the API."""

from typing import TYPE_CHECKING

from rest_framework.request import Request
from rest_framework.throttling import UserRateThrottle

if TYPE_CHECKING:
    from rest_framework.views import APIView


class WriteThrottle(UserRateThrottle):
    """Limits how often one user may write, to API_RATE. nginx limits reading."""

    scope = "writes"

    def allow_request(self, request: Request, view: "APIView") -> bool:
        """Whether the request is within the limit; it counts when it is a write."""
        return request.method in ("GET", "HEAD", "OPTIONS") or super().allow_request(request, view)
