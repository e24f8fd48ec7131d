"""The WSGI application of a site: the project's own where it has one, else Django's.

    python -m gunicorn --config deploy/gunicorn.conf.py channels_stack.wsgi:application

The health checks and the answer at socket routes come from the middleware that the overlay adds (pages.py).
"""

import logging
from collections.abc import Callable
from typing import Any

from channels_stack import project

project.set_up()

from django.core.wsgi import get_wsgi_application  # noqa: E402
from django.db import connections  # noqa: E402

from channels_stack.description import Site, load_site  # noqa: E402

logger = logging.getLogger("channels_stack.wsgi")


def load_wsgi(site: Site) -> Callable[..., Any]:
    """Return the project's WSGI application, or Django's when the project has none that can be used."""
    if site.wsgi:
        try:
            theirs = project.load(site.wsgi)
        except Exception as error:  # whatever the project's module raises
            logger.warning(
                "%s cannot be used, so Django's own application serves: %s", site.wsgi, project.explain(error)
            )
        else:
            if callable(theirs):
                return theirs  # type: ignore[no-any-return]
            logger.warning("%s is no application but %r, so Django's own serves.", site.wsgi, type(theirs).__name__)
    return get_wsgi_application()


def find_socket_routes() -> None:
    """Find the addresses of WebSockets, so that plain HTTP there is answered with 426."""
    try:
        import channels_stack.asgi  # noqa: F401, PLC0415  it finds them
    except Exception as error:  # whatever the project's module raises; the pages work without it
        logger.warning("The socket routes are unknown to the pages: %s", project.explain(error))


project.log_overrides()
application = load_wsgi(load_site())
find_socket_routes()
connections.close_all()  # gunicorn forks its workers now; each needs connections of its own
