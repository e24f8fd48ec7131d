"""Whether the server in this container does its work: health.py web|ws. Exit code 0 or one line that says why not.

web: /readyz under the site's own name, so a wrong ALLOWED_HOSTS shows here. ws: a real WebSocket handshake.
"""

import os
import sys

from deploy import smoke

PORT = 8000  # of docker/entrypoint
smoke.PATIENCE = 4  # seconds; less than the healthcheck's own timeout, so that there is a reason to read


def site() -> smoke.Site:
    first = os.environ.get("ALLOWED_HOSTS", "").split(",")[0].strip()
    name = "localhost" if first in ("", "*") else first.lstrip(".")
    return smoke.Site(name, PORT, "127.0.0.1", tls=None)


def web() -> str | None:
    answer, _ = site().get("/readyz")
    return None if answer.status == 200 else f"/readyz: {answer.status} {answer.read(500)!r}"


def ws() -> None:
    smoke.handshake(site())


if __name__ == "__main__":
    try:
        sys.exit({"web": web, "ws": ws}[sys.argv[1]]())
    except smoke.Broken as broken:
        sys.exit(broken.why)
