"""People made ahead by `manage.py load_people`: a file with their sessions and the names of their rooms."""

import json
import sys
from pathlib import Path
from typing import Any

from loadtest.plan import BadPlan


def load(path: Path) -> dict[str, Any]:
    """From a file, or from standard input for `-`. Raises BadPlan."""
    try:
        found = json.loads(sys.stdin.read() if str(path) == "-" else path.read_text())
        cookies, rooms = found["cookies"], found["rooms"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise BadPlan(f"{path} is not what `manage.py load_people` prints: {error!r}") from error
    return {"cookies": list(map(str, cookies)), "rooms": list(map(str, rooms))}
