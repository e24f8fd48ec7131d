"""Answers 503 instead of 500 while a page fails because the database is away or a disk is full.

500 says that the program has a fault; 503 says that the same request will work later, and browsers, programs and search
engines try again.
"""

import logging

from django.db import Error as DatabaseError
from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse
from django.template import TemplateDoesNotExist, loader
from django.utils.deprecation import MiddlewareMixin

from channels_stack import disk_space, health

RETRY_AFTER_SECONDS = 5
TEMPLATE = "503.html"  # a project may have one; it is rendered without a request, because that could need the database
PAGE = """\
<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>This site is not available right now</title>
</head>
<body>
<h1>This site is not available right now</h1>
<p>Try again in a moment.</p>
</body>
</html>
"""

logger = logging.getLogger("channels_stack.unavailable")


class AnswerWhileUnavailable(MiddlewareMixin):
    """The middleware. It stands before those of the project, whose own handling of exceptions goes first."""

    def process_exception(self, request: HttpRequest, error: Exception) -> HttpResponse | None:
        """Answer an error of the database with 503 while the database cannot be used; leave other errors alone."""
        reason = find_reason() if isinstance(error, OperationalError | InterfaceError) else ""
        if not reason:
            return None
        logger.error("A page could not be served: %s", reason, extra={"request": request})
        return HttpResponse(render_page(), status=503, headers={"Retry-After": str(RETRY_AFTER_SECONDS)})


def find_reason() -> str:
    """Return why the database cannot be used now, in one line; empty where it works."""
    try:
        disk_space.check_disks()
        health.check_database()
    except DatabaseError as error:
        return f"the database does not answer: {str(error).strip().partition(chr(10))[0]}"
    except OSError as error:
        return f"a disk is full: {error}"
    return ""


def render_page() -> str:
    """Return the project's page for 503, or the stack's own."""
    try:
        return loader.get_template(TEMPLATE).render()
    except TemplateDoesNotExist:
        return PAGE
