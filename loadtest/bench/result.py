"""The result of `make bench`: its types, the median of several rounds, and the file.

`result.schema.json` is generated from these types: `python -m loadtest.schemas`.
"""

import statistics
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal, NotRequired, TypedDict

from loadtest.bench.client.room import TalkResult
from loadtest.core.host import REPO
from loadtest.core.latency import LatencySummary
from loadtest.core.result_file import round_figures, write_json

VERSION: Literal[2] = 2
FOLDER = REPO / "loadtest/results"
DIGITS = 4  # significant digits of a figure in the file
FAULTS = ("lost", "duplicated", "out_of_order", "phantom")
TOTAL = "total"  # of all groups of processes


class PhaseResult(TalkResult):
    """What one phase cost the servers, and what the client measured meanwhile."""

    deliveries_per_s: float
    us_per_delivery: dict[str, float]  # CPU microseconds by group of processes, and their total
    servers_busy: float  # cores
    void: str  # why the figures say more about the client than about the server; empty if they do not


class RoomCosts(TypedDict):
    """What the members of a room cost; empty where the room is too small to tell."""

    accept_ms: dict[str, float]  # CPU milliseconds for a member to join, by group
    kib_per_socket: dict[str, float]  # resident memory, by group
    connect_seconds: float


class RoomResult(RoomCosts):
    """One contender in a room of one size."""

    contender: str
    title: str
    size: int
    low_rate: NotRequired[PhaseResult]
    high_rate: NotRequired[PhaseResult]
    saturation: NotRequired[PhaseResult]


class CoalescingRow(TypedDict):
    """A fast small room with COALESCE off or on."""

    coalesce: str
    us_per_delivery: dict[str, float]
    frames_per_delivery: float
    p50_ms: float
    p99_ms: float
    lost: int
    duplicated: int
    out_of_order: int
    void: str


class CommitsRow(TypedDict):
    """Posts of one room on PostgreSQL with GROUP_COMMIT off or on."""

    group_commit: str
    senders: int
    posts_per_s: float
    us_per_post: dict[str, float]
    lost: int
    duplicated: int
    out_of_order: int
    void: str


class DrainRow(TypedDict):
    """A restart with open sockets."""

    sockets: int
    drain_seconds: float
    closed_1012: int
    closed_after_bye: int
    closed: dict[str, int]
    remaining: int
    spread_seconds: float
    exit_code: int | str
    exit_after_seconds: float


class SlowReaderRow(TypedDict):
    """A busy room with or without one member that reads slowly."""

    slow_reader: bool
    others: int
    messages: int
    overloaded: bool
    p50_ms: float
    p99_ms: float
    rss_growth_kib: float
    lost: int
    client_busy: float
    close_code: NotRequired[int | None]
    recovered: NotRequired[bool]
    missing_after: NotRequired[int]
    received_twice: NotRequired[int]


class StormRow(TypedDict):
    """Many clients that connect at the same moment."""

    contender: str
    skipped: NotRequired[str]
    clients: NotRequired[int]
    seconds: NotRequired[float]
    ready: NotRequired[int]
    cpu_seconds: NotRequired[float]
    closed: NotRequired[dict[str, int]]


class BenchResult(TypedDict):
    """The whole file: the comparison, or one of the other measurements."""

    version: Literal[2]
    measured_at: str  # UTC, to the minute
    versions: dict[str, str]
    rounds: NotRequired[int]
    empty_loop_ms: NotRequired[LatencySummary | None]
    results: NotRequired[list[RoomResult]]
    skipped: NotRequired[dict[str, str]]
    coalescing: NotRequired[list[CoalescingRow]]
    commits: NotRequired[list[CommitsRow]]
    drain: NotRequired[list[DrainRow]]
    slow: NotRequired[list[SlowReaderRow]]
    storm: NotRequired[list[StormRow]]


def merge_rounds(rounds: Sequence[Any]) -> Any:
    """Return the same figures, each the median of the rounds.

    Faults are summed, so that none hides behind a median; what is true in one round stays true.
    """
    first = rounds[0]
    if isinstance(first, dict):
        keys = dict.fromkeys(key for one in rounds for key in one)
        return {
            key: sum(one.get(key, 0) for one in rounds)
            if key in FAULTS
            else merge_rounds([one[key] for one in rounds if key in one])
            for key in keys
        }
    if isinstance(first, bool):
        return any(rounds)
    if isinstance(first, int | float):
        return statistics.median(rounds)
    return next((one for one in rounds if one), first)


def save_result(measured: dict[str, Any], versions: dict[str, str], *, name: str = "", folder: Path = FOLDER) -> Path:
    """Write <date><name>.json; return its path. A second run of a day and name replaces the first.

    Args:
        measured: the keys of BenchResult that were measured.
        versions: of everything that took part.
        name: appended to the date.
        folder: where to write.
    """
    now = datetime.now(UTC)
    path = folder / f"{now:%Y-%m-%d}{name}.json"
    result = {"version": VERSION, "measured_at": f"{now:%Y-%m-%dT%H:%MZ}", "versions": versions, **measured}
    write_json(round_figures(result, DIGITS), path, indent=1)
    return path


def find_result(results: Sequence[RoomResult], contender: str, size: int) -> RoomResult | None:
    """Return the result of this contender in a room of this size; None if there is none."""
    return next((one for one in results if one["contender"] == contender and one["size"] == size), None)


def get_figure(result: Any, *keys: str) -> Any:
    """Return result[key][key]...; None where one of the keys is missing."""
    value: Any = result
    for key in keys:
        value = value.get(key) if isinstance(value, dict) else None
    return value


def add_total(parts: dict[str, float]) -> dict[str, float]:
    """Return the parts with their sum as TOTAL."""
    return {**parts, TOTAL: sum(parts.values())}
