"""What this process has counted, for Prometheus. Only who is on the machine may ask."""

from django.http import Http404, HttpRequest, HttpResponse
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest


def metrics(request: HttpRequest) -> HttpResponse:
    """The text format of Prometheus. 404 to the public, which comes by https or through a proxy."""
    if request.is_secure() or "X-Forwarded-For" in request.headers or "X-Forwarded-Proto" in request.headers:
        raise Http404
    return HttpResponse(generate_latest(), content_type=CONTENT_TYPE_LATEST)
