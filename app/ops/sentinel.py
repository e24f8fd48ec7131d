"""What answers plain HTTP where only WebSockets live: 426, and which program was reached, with which headers."""

from django.core.handlers.asgi import ASGIRequest
from django.http import HttpRequest, JsonResponse
from django.views.decorators.csrf import csrf_exempt


@csrf_exempt  # it changes nothing, and a probe may use any method
def upgrade_required(request: HttpRequest, path: str = "") -> JsonResponse:
    """Names the hop: a handshake that ends here lost its Upgrade on the way, or went to the wrong server."""
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
