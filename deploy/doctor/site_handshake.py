"""The WebSocket handshake that the site's own pages make, as far as the operator described it."""

from deploy.doctor.http_client import Target
from deploy.doctor.observations import Observations
from deploy.doctor.ws_client import Handshake, open_websocket


def open_site_websocket(
    observations: Observations, target: Target | None = None, *, origin: str = "", cookie: str = ""
) -> Handshake:
    """Make a handshake with the path, the subprotocol, the Origin and the cookie of the options.

    Args:
        observations: of the site.
        target: where to connect; by default as a browser does.
        origin: in place of the site's own Origin.
        cookie: in place of the cookie of each handshake: that of a session.
    """
    options = observations.options
    return open_websocket(
        target or observations.target(),
        options.ws_path,
        options.timeout,
        origin=origin or options.origin or observations.origin,
        cookie=cookie or options.handshake_cookie,
        subprotocol=options.subprotocol,
    )
