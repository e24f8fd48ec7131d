"""Whether it pays that events share frames under pressure: a fast small room behind TLS, with COALESCE off and on."""

from loadtest.bench.contenders.chat import BundledChat
from loadtest.bench.measure import RoomLoad, measure_room
from loadtest.bench.nginx_proxy import BehindNginx
from loadtest.bench.result import CoalescingRow, PhaseResult, merge_rounds

RATE = 100.0  # messages a second
DEFAULT_SIZE = 100


def measure_coalescing(*, quick: bool, size: int | None, seconds: float | None) -> list[CoalescingRow]:
    """Return one row for off and one for on: medians of rounds in which the two take turns."""
    load = RoomLoad(size or DEFAULT_SIZE, low_rate=RATE, high_rate=RATE, seconds=seconds or (5 if quick else 10))
    rounds: dict[str, list[PhaseResult]] = {"off": [], "on": []}
    for _ in range(1 if quick else 3):
        for setting, results in rounds.items():
            contender = BehindNginx(BundledChat(unix=True, env={"COALESCE": setting}))
            results.append(measure_room(contender, load, ("high_rate",))["high_rate"])
    return [build_row(setting, merge_rounds(results)) for setting, results in rounds.items()]


def build_row(setting: str, result: PhaseResult) -> CoalescingRow:
    """Return the row of one setting."""
    latency = result.get("latency_ms")
    return CoalescingRow(
        coalesce=setting,
        us_per_delivery=result["us_per_delivery"],
        frames_per_delivery=result["frames"] / result["deliveries"],
        p50_ms=latency["p50"] if latency else 0.0,
        p99_ms=latency["p99"] if latency else 0.0,
        lost=result["lost"],
        duplicated=result["duplicated"],
        out_of_order=result["out_of_order"],
        void=result["void"],
    )
