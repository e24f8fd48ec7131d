"""People who sign in with an account elsewhere."""

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
    def populate_user(self, request: HttpRequest, sociallogin: Any, data: dict[str, Any]) -> User:
        """A new account is called what its owner is called elsewhere, as far as we take such names."""
        username = (data.get("username") or "").partition("@")[0]  # servers that give an address instead
        user: User = super().populate_user(request, sociallogin, data | {"username": username})
        name = data.get("name") or f"{user.first_name} {user.last_name}"
        try:
            user.display_name = clean_name(clean_name(name[:NAME_CHARS]))
        except ValidationError:
            user.display_name = ""  # the username, then
        return user


class LeaveByPage:
    """Middleware: a form of ours that leads to another site does so by a page of ours.

    The policy lets forms lead nowhere else (form-action), and Chromium holds every redirect after a form to it: those
    of the other site, too, to hosts that nobody here can list.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        url = response.headers.get("Location", "")
        leads_away = url.startswith("http") and not url_has_allowed_host_and_scheme(url, {request.get_host()})
        if request.method != "POST" or not leads_away:
            return response
        return render(request, "socialaccount/redirect.html", {"url": url})

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        """The other site did not answer, or not sensibly: no mistake of ours."""
        if not isinstance(exception, RequestException):
            return None
        log.warning("Sign-in elsewhere: %s", exception)
        return render(request, "socialaccount/authentication_error.html", status=502)
