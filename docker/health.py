"""Whether the server in this container works: health.py web|ws. Exit code 0, or one line that says why it does not.

web: /readyz under the site's own name, so that a wrong list of names shows here. ws: a real WebSocket handshake; for a
project, whose sockets may need a session, /readyz of that server.
"""

import os
import sys

from deploy import smoke
from deploy.containers.names import read_own_hosts
from deploy.doctor.http_client import Target, request

PORT = 8000  # of docker/entrypoint
TIMEOUT_SECONDS = 4  # less than the healthcheck's own timeout, so that there is a reason to read


def make_target() -> Target:
    """Return this container's server, asked in the place of nginx."""
    name = next(iter(read_own_hosts(os.environ)), "localhost")
    return Target(name, PORT, "127.0.0.1", tls=None, forwarded_proto="https", user_agent="stack-smoke")


def check_readiness() -> str | None:
    """Return None when the server is ready, else the reason."""
    reply = request(make_target(), "/readyz", TIMEOUT_SECONDS)
    return None if reply.status == 200 else f"/readyz: {reply} {reply.body[:500]!r}"


def check_handshake() -> str | None:
    """Return None when a WebSocket opens, else the reason."""
    try:
        smoke.check_handshake(make_target(), TIMEOUT_SECONDS).abort()
    except smoke.HopFailure as failure:
        return failure.reason
    return None


if __name__ == "__main__":
    is_project = "SITE_FILE" in os.environ
    sys.exit({"web": check_readiness, "ws": check_readiness if is_project else check_handshake}[sys.argv[1]]())
