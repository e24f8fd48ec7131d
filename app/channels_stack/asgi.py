"""The ASGI application of a site: the project's sockets, and plain HTTP, with what the stack adds.

python -m channels_realtime.server --unix PATH channels_stack.asgi:application
"""

import logging
from typing import Any

from channels_stack import project

project.set_up()

from channels.routing import ProtocolTypeRouter  # noqa: E402
from django.core.asgi import get_asgi_application  # noqa: E402

from channels_stack import routes  # noqa: E402
from channels_stack.asgi_application import mend  # noqa: E402
from channels_stack.description import Site, load_site  # noqa: E402
from channels_stack.http import Http  # noqa: E402
from channels_stack.origin_check import prepare_project_checks  # noqa: E402
from channels_stack.sockets import Sockets  # noqa: E402

logger = logging.getLogger("channels_stack.asgi")


class SiteApplication:
    """Divides by protocol: sockets and HTTP get what the stack adds, everything else goes to the project."""

    def __init__(self, theirs: Any, site: Site) -> None:
        """Prepare the project's application, None where it has none, and find its socket routes."""
        self.theirs: Any = None
        repairs: list[str] = []
        if theirs is not None:
            self.theirs, repairs = mend(theirs)
        checks = prepare_project_checks(self.theirs, site)
        self.notes = [*repairs, *checks.changes]
        checks_origin = site.origin_check and not checks.refuses_other_sites
        if self.theirs is not None and not checks.refuses_other_sites:
            theirs_does = (
                "project's check of the Origin accepts every page (ALLOWED_HOSTS or its list is *)"
                if checks.accepts_every_origin
                else "project does not check the Origin of handshakes"
            )
            self.notes.append(
                f"The {theirs_does}; the stack accepts the site's own pages only."
                if checks_origin
                else "Nothing checks the Origin of handshakes: any page may open the site's sockets (origin_check)."
            )
        protocols = self.theirs.application_mapping if isinstance(self.theirs, ProtocolTypeRouter) else {}
        self.sockets = Sockets(self.theirs or _no_sockets, site, checks_origin=checks_origin)
        self.http = Http(protocols.get("http"), get_asgi_application(), site.asgi_http)
        self.routes = routes.find_routes(self.theirs)
        routes.SOCKET_ROUTES[:] = self.routes

    async def __call__(self, scope: dict[str, Any], receive: Any, send: Any) -> None:
        """Serve one scope."""
        if scope["type"] == "websocket":
            await self.sockets(scope, receive, send)
        elif scope["type"] == "http":
            await self.http(scope, receive, send)
        elif scope["type"] == "lifespan":
            await serve_lifespan(receive, send)
        else:
            await self.theirs(scope, receive, send)  # channel, for runworker


async def _no_sockets(scope: Any, receive: Any, send: Any) -> None:
    raise ValueError("No route found for path: the project has no ASGI application.")


async def serve_lifespan(receive: Any, send: Any) -> None:
    """Complete the start and the end of the server; neither Channels nor Django has anything to do then."""
    while True:
        message = await receive()
        await send({"type": f"{message['type']}.complete"})
        if message["type"] == "lifespan.shutdown":
            return


def build_application() -> SiteApplication:
    """Load the project's application and say what was changed. Raises what the project's module raises."""
    site = load_site()
    built = SiteApplication(project.load(site.asgi) if site.asgi else None, site)
    for note in built.notes:
        logger.info("%s", note)
    logger.info(
        "Serving %d socket routes: %s",
        len(built.routes),
        ", ".join(route.pattern or "the empty path" for route in built.routes) or "none",
    )
    return built


application = build_application()
