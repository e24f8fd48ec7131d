"""allauth reads JSON that Python's own parser fails on, and passes on text that no database takes: that is the client's
mistake, and is answered so."""

import json
from collections.abc import Callable

from django.http import HttpRequest, HttpResponse, HttpResponseBadRequest

HEADLESS = "/_allauth/"


class ReadableJson:
    """Middleware: 400 for a body below HEADLESS that is nested beyond reason, or holds half a character."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if request.path.startswith(HEADLESS) and request.body:
            try:
                json.dumps(json.loads(request.body), ensure_ascii=False).encode()
            except (ValueError, RecursionError):
                return HttpResponseBadRequest()
        return self.get_response(request)
