"""Sessions that `manage.py load_people` has made beforehand: a file with cookies, and the names of their rooms."""

import json
import sys
from pathlib import Path
from typing import TypedDict

from loadtest.load.plan import BadPlan


class Sessions(TypedDict):
    """What `manage.py load_people` prints."""

    cookies: list[str]
    rooms: list[str]


def read_sessions(path: Path) -> Sessions:
    """Read a file, or standard input for `-`.

    Raises:
        BadPlan: it is not what `manage.py load_people` prints.
    """
    try:
        found = json.loads(sys.stdin.read() if str(path) == "-" else path.read_text())
        cookies, rooms = found["cookies"], found["rooms"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise BadPlan(f"{path} is not what `manage.py load_people` prints: {error!r}") from error
    return Sessions(cookies=list(map(str, cookies)), rooms=list(map(str, rooms)))
