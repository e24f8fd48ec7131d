"""Whether events that share frames under pressure pay: a fast small room behind TLS, with COALESCE off and on."""

from typing import Any

from loadtest.bench.contenders.parley import Parley
from loadtest.bench.front import BehindNginx
from loadtest.bench.measure import Load, measure
from loadtest.bench.results import merged

RATE = 100.0  # messages a second


def coalescing(*, quick: bool, size: int | None, seconds: float | None) -> list[dict[str, Any]]:
    """One row for off, one for on: medians, the two taking turns."""
    load = Load(size or 100, calm=RATE, brisk=RATE, seconds=seconds or (5 if quick else 10))
    rounds: dict[str, list[dict[str, Any]]] = {"off": [], "on": []}
    for _ in range(1 if quick else 3):
        for word, results in rounds.items():
            contender = BehindNginx(Parley(unix=True, env={"COALESCE": word}))
            results.append(measure(contender, load, ("brisk",))["brisk"])
    return [row(word, merged(results)) for word, results in rounds.items()]


def row(word: str, result: dict[str, Any]) -> dict[str, Any]:
    return {
        "coalesce": word,
        **{f"{group}_us": us for group, us in result["us"].items()},
        "frames_a_delivery": result["frames"] / result["deliveries"],
        "p50_ms": result["latency_ms"]["p50"],
        "p99_ms": result["latency_ms"]["p99"],
        **{name: result[name] for name in ("lost", "duplicate", "reordered", "void")},
    }
