"""Whose words a page is in: those its reader has chosen, else their browser's. What programs read stays English."""

from django.conf import settings
from django.http import HttpRequest
from django.middleware.locale import LocaleMiddleware
from django.utils import translation

FOR_PROGRAMS = ("/api/", "/_allauth/", "/chat/rooms/", "/save_message/")


class PageLanguage(LocaleMiddleware):
    def process_request(self, request: HttpRequest) -> None:
        if request.path.startswith(FOR_PROGRAMS):
            translation.activate(settings.LANGUAGE_CODE)
        else:
            super().process_request(request)
