"""Results in files."""

import json
from pathlib import Path
from typing import Any

FORMAT = 1


class BadResult(Exception):
    """A file that is no result of ours; the text says why."""


def load(path: Path) -> dict[str, Any]:
    """Raises BadResult."""
    try:
        found = json.loads(path.read_text())
    except (OSError, ValueError) as error:
        raise BadResult(f"{path} cannot be read: {error}") from error
    if not isinstance(found, dict) or found.get("format") != FORMAT:
        raise BadResult(f"{path} is no result of this load test.")
    return found


def save(result: dict[str, Any], path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(result, separators=(",", ":")) + "\n")
