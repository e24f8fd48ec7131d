"""Whether the server in this container works: health.py web|ws. Exit code 0, or one line that says why it does not.

web: /readyz under the site's own name, so that a wrong ALLOWED_HOSTS shows here. ws: a real WebSocket handshake.
"""

import os
import sys

from deploy import smoke
from deploy.doctor.http_client import Target, request

PORT = 8000  # of docker/entrypoint
TIMEOUT_SECONDS = 4  # less than the healthcheck's own timeout, so that there is a reason to read


def make_target() -> Target:
    """Return this container's server, asked in the place of nginx."""
    first_host = os.environ.get("ALLOWED_HOSTS", "").split(",")[0].strip()
    name = "localhost" if first_host in ("", "*") else first_host.lstrip(".")
    return Target(name, PORT, "127.0.0.1", tls=None, forwarded_proto="https", user_agent="parley-smoke")


def check_web() -> str | None:
    """Return None when the site is ready, else the reason."""
    reply = request(make_target(), "/readyz", TIMEOUT_SECONDS)
    return None if reply.status == 200 else f"/readyz: {reply} {reply.body[:500]!r}"


def check_ws() -> str | None:
    """Return None when a WebSocket opens, else the reason."""
    try:
        smoke.check_handshake(make_target(), TIMEOUT_SECONDS).abort()
    except smoke.HopFailure as failure:
        return failure.reason
    return None


if __name__ == "__main__":
    sys.exit({"web": check_web, "ws": check_ws}[sys.argv[1]]())
