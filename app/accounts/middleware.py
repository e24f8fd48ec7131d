"""Middleware: unreadable JSON is the client's mistake, and pages are in their reader's language."""

import json
from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseBadRequest
from django.middleware.locale import LocaleMiddleware
from django.utils import translation

HEADLESS_PATH = "/_allauth/"
PROGRAM_PATHS = ("/api/", HEADLESS_PATH, "/chat/rooms/", "/save_message/")


class UnreadableJsonMiddleware:
    """Answers 400 to JSON below HEADLESS_PATH that is nested too deeply or contains an unpaired surrogate.

    allauth fails on the former, and hands on the latter, which no database accepts.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Answer the request, or let the next middleware do it."""
        if request.path.startswith(HEADLESS_PATH) and request.body:
            try:
                json.dumps(json.loads(request.body), ensure_ascii=False).encode()
            except (ValueError, RecursionError):
                return HttpResponseBadRequest()
        return self.get_response(request)


class PageLanguageMiddleware(LocaleMiddleware):
    """Chooses a page's language: the one its reader selected, else the browser's. Answers to programs are English."""

    def process_request(self, request: HttpRequest) -> None:
        """Activate the language for this request."""
        if request.path.startswith(PROGRAM_PATHS):
            translation.activate(settings.LANGUAGE_CODE)
        else:
            super().process_request(request)
