"""From the figures of several rounds to one, and to a file that says when, what and on what they were measured."""

import json
import statistics
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from loadtest.bench.measure import Result
from loadtest.bench.programs import REPO

FOLDER = REPO / "loadtest/results"
FAULTS = {"lost", "duplicate", "reordered"}  # not one of them may hide behind a median


def merged(rounds: Sequence[Any]) -> Any:
    """The same figures, each the median of the rounds; faults are summed, and what is true once stays true."""
    first = rounds[0]
    if isinstance(first, dict):
        keys = dict.fromkeys(key for one in rounds for key in one)
        return {
            key: sum(one.get(key, 0) for one in rounds)
            if key in FAULTS
            else merged([one[key] for one in rounds if key in one])
            for key in keys
        }
    if isinstance(first, bool):
        return any(rounds)
    if isinstance(first, int | float):
        return statistics.median(rounds)
    return next((one for one in rounds if one), first)


def save(measured: dict[str, Any], versions: dict[str, str], *, name: str = "", folder: Path = FOLDER) -> Path:
    """Write <date><name>.json; returns its path. A second run of a day and name replaces the first."""
    now = datetime.now(UTC)
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{now:%Y-%m-%d}{name}.json"
    words = {"measured_at": f"{now:%Y-%m-%dT%H:%MZ}", "versions": versions, **measured}
    path.write_text(json.dumps(_rounded(words), indent=1) + "\n")
    return path


def _rounded(value: Any) -> Any:
    """Four significant digits: more is noise."""
    if isinstance(value, dict):
        return {key: _rounded(one) for key, one in value.items()}
    if isinstance(value, list):
        return [_rounded(one) for one in value]
    return float(f"{value:.4g}") if isinstance(value, float) else value


def found(results: Sequence[Result], contender: str, size: int) -> Result | None:
    """The result of this contender in a room of this size."""
    return next((one for one in results if one["contender"] == contender and one["size"] == size), None)
