"""The host names of the site, as the containers of the application know them."""

import json
from collections.abc import Mapping
from pathlib import Path


def read_own_hosts(env: Mapping[str, str]) -> list[str]:
    """Return the site's own names; empty where every host is allowed.

    Args:
        env: has SITE_FILE, the site description of a project, or ALLOWED_HOSTS.
    """
    if file := env.get("SITE_FILE"):
        names: list[str] = json.loads(Path(file).read_text())["hosts"]
    else:
        names = env.get("ALLOWED_HOSTS", "").split(",")
    stripped = (name.strip().lstrip(".") for name in names)
    return [name for name in stripped if name not in ("", "*", "localhost", "127.0.0.1", "[::1]")]
