"""Health check of the server in this container: health.py web|ws. Exit code 0, or one line that says what is wrong.

web: /readyz under the site's own name, so a wrong ALLOWED_HOSTS fails the check. ws: a real WebSocket handshake.
"""

import os
import sys

from deploy import smoke

PORT = 8000  # as in docker/entrypoint
smoke.PATIENCE = 4  # seconds; less than the timeout of compose.yaml, so that the log has a reason


def build_site() -> smoke.Site:
    """Return the server in this container, under the first name of ALLOWED_HOSTS."""
    first = os.environ.get("ALLOWED_HOSTS", "").split(",")[0].strip()
    name = "localhost" if first in ("", "*") else first.lstrip(".")
    return smoke.Site(name, PORT, "127.0.0.1", tls=None)


def check_web() -> str | None:
    """Return what is wrong with gunicorn, or None. Raises smoke.Broken where it does not answer."""
    answer, _ = build_site().get("/readyz")
    return None if answer.status == 200 else f"/readyz: {answer.status} {answer.read(500)!r}"


def check_ws() -> None:
    """Open a WebSocket. Raises smoke.Broken where that fails."""
    smoke.handshake(build_site())


if __name__ == "__main__":
    try:
        sys.exit({"web": check_web, "ws": check_ws}[sys.argv[1]]())
    except smoke.Broken as broken:
        sys.exit(broken.why)
