"""Measurements of single features, each by its name on the command line. All return rows for the result file."""

from collections.abc import Callable, Sequence
from typing import Any

from loadtest.bench.measures.coalescing import measure_coalescing
from loadtest.bench.measures.commits import measure_commits
from loadtest.bench.measures.drain import measure_drain
from loadtest.bench.measures.slow_reader import measure_slow_reader
from loadtest.bench.measures.storm import measure_storm

# Each takes by name: quick (bool), size in members and seconds (None for the measurement's own).
MEASURES: dict[str, Callable[..., Sequence[Any]]] = {
    "coalescing": measure_coalescing,
    "commits": measure_commits,
    "drain": measure_drain,
    "slow": measure_slow_reader,
    "storm": measure_storm,
}
