"""Measurements of single features, each by its name on the command line. All return rows of named figures."""

from collections.abc import Callable
from typing import Any

from loadtest.bench.measures.coalescing import coalescing
from loadtest.bench.measures.commits import commits
from loadtest.bench.measures.drain import drain
from loadtest.bench.measures.slow_reader import slow_reader
from loadtest.bench.measures.storm import storm

# Each takes quick (bool), size and seconds (None: its own), all by name.
MEASURES: dict[str, Callable[..., list[dict[str, Any]]]] = {
    "coalescing": coalescing,
    "commits": commits,
    "drain": drain,
    "slow": slow_reader,
    "storm": storm,
}
