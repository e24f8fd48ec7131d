"""Results in JSON files: rounded, with a version, and with a JSON Schema that is generated from their types."""

import json
from pathlib import Path
from typing import Any

import msgspec

DRAFT = "https://json-schema.org/draft/2020-12/schema"


class BadResult(Exception):
    """A file is not a usable result. The text says why."""


def round_figures(value: Any, digits: int) -> Any:
    """Return the value with every float in it rounded to so many significant digits; more would be noise."""
    if isinstance(value, dict):
        return {key: round_figures(one, digits) for key, one in value.items()}
    if isinstance(value, list):
        return [round_figures(one, digits) for one in value]
    return float(f"{value:.{digits}g}") if isinstance(value, float) else value


def read_json(path: Path) -> dict[str, Any]:
    """Return the JSON object in a file.

    Raises:
        BadResult: the file cannot be read, or contains no JSON object.
    """
    try:
        found = json.loads(path.read_text())
    except (OSError, ValueError) as error:
        raise BadResult(f"{path} cannot be read: {error}") from error
    if not isinstance(found, dict):
        raise BadResult(f"{path} contains no result.")
    return found


def write_json(result: object, path: Path, *, indent: int | None = None) -> None:
    """Write a result; its folder is made if it does not exist."""
    path.parent.mkdir(parents=True, exist_ok=True)
    separators = (",", ":") if indent is None else (",", ": ")
    path.write_text(json.dumps(result, indent=indent, separators=separators) + "\n")


def build_schema(result_type: Any, title: str) -> dict[str, Any]:
    """Return the JSON Schema of a result's type."""
    schema = msgspec.json.schema(result_type)
    return {"$schema": DRAFT, "title": title, **schema}
