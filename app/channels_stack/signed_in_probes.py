"""Asks a site's pages as a signed-in user, before a release serves, and leaves nothing behind.

The user and the session exist in a transaction that is rolled back, so no visitor ever sees them.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from django.conf import settings
from django.contrib.auth import get_user_model
from django.db import transaction
from django.test import Client

USERNAME = "stack-probe"
DEFAULT_STATUS = 200


def find_failure(probes: Iterable[Mapping[str, Any]]) -> str | None:
    """Ask for each page as a new user, and return the first failure as a sentence, or None.

    Args:
        probes: `path`, and `status` where it is not 200, as the manifest has them. Those without `signed_in` are left
            to the servers.
    """
    asked = [probe for probe in probes if probe.get("signed_in")]
    if not asked:
        return None
    with transaction.atomic():
        try:
            client = Client(raise_request_exception=False, HTTP_HOST=choose_host())
            client.force_login(create_user(), settings.AUTHENTICATION_BACKENDS[0])
            for probe in asked:
                expected = probe.get("status", DEFAULT_STATUS)
                status = client.get(probe["path"], secure=True).status_code
                if status != expected:
                    return f"the probe {probe['path']}, signed in, is answered by {status}, not {expected}"
        finally:
            transaction.set_rollback(True)
    return None


def create_user() -> Any:
    """Save a user without a password and return it."""
    model = get_user_model()
    user = model(**{model.USERNAME_FIELD: USERNAME})
    user.set_unusable_password()
    user.save()
    return user


def choose_host() -> str:
    """Return a host name that the settings allow."""
    named = (host for host in settings.ALLOWED_HOSTS if host != "*")
    return next(named, "localhost").lstrip(".")
