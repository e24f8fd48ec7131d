"""Sign-in with an account of another site."""

import logging
from collections.abc import Callable
from typing import Any

from allauth.socialaccount.adapter import DefaultSocialAccountAdapter
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.http import url_has_allowed_host_and_scheme
from requests import RequestException

from accounts.models import NAME_CHARS, User
from accounts.names import clean_name

log = logging.getLogger(__name__)


class Adapter(DefaultSocialAccountAdapter):
    """allauth's adapter, with the rules for names here."""

    def populate_user(self, request: HttpRequest, sociallogin: Any, data: dict[str, Any]) -> User:
        """Give a new account the display name of the other site, or none when it is not valid here."""
        username = (data.get("username") or "").partition("@")[0]  # some servers give an e-mail address as the username
        user: User = super().populate_user(request, sociallogin, data | {"username": username})
        name = data.get("name") or f"{user.first_name} {user.last_name}"
        try:
            user.display_name = clean_name(clean_name(name[:NAME_CHARS]))
        except ValidationError:
            user.display_name = ""  # others see the username then
        return user


class ExternalRedirectInterstitial:
    """Middleware that answers a form with a page of ours where the answer would be a redirect to another site.

    The Content-Security-Policy has form-action 'self', and Chromium applies it to every redirect after a form, also to
    those of the other site, whose hosts cannot be listed here.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Return the answer, or the page that leads to its target."""
        response = self.get_response(request)
        url = response.headers.get("Location", "")
        is_external = url.startswith("http") and not url_has_allowed_host_and_scheme(url, {request.get_host()})
        if request.method != "POST" or not is_external:
            return response
        return render(request, "socialaccount/redirect.html", {"url": url})

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        """Answer 502 when the other site did not answer as it should."""
        if not isinstance(exception, RequestException):
            return None
        log.warning("Sign-in with another site failed: %s", exception)
        return render(request, "socialaccount/authentication_error.html", status=502)
