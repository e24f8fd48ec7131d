"""The answer to plain HTTP at the addresses of WebSockets: 426 Upgrade Required (RFC 9110, section 15.5.22)."""

from django.core.handlers.asgi import ASGIRequest
from django.http import HttpRequest, JsonResponse
from django.views.decorators.csrf import csrf_exempt


@csrf_exempt  # it changes nothing, and a probe may use any method
def upgrade_required(request: HttpRequest, path: str = "") -> JsonResponse:
    """Return as JSON which program the request reached, and with which headers.

    A WebSocket handshake that gets this answer lost its Upgrade header on the way, or was sent to the server for pages
    ("hop": "wsgi") instead of the one for WebSockets ("hop": "asgi"). A header that is missing is null.
    """
    is_asgi = isinstance(request, ASGIRequest)
    version = request.scope["http_version"] if isinstance(request, ASGIRequest) else request.META["SERVER_PROTOCOL"]
    answer = {
        "hop": "asgi" if is_asgi else "wsgi",
        "http_version": version.removeprefix("HTTP/"),
        "upgrade": request.headers.get("Upgrade"),
        "connection": request.headers.get("Connection"),
        "host": request.headers.get("Host"),
        "forwarded_proto": request.headers.get("X-Forwarded-Proto"),
    }
    return JsonResponse(answer, status=426, headers={"Upgrade": "websocket"})
