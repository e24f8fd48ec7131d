"""`make bench`: what one delivery costs on this stack, and on other servers that do the same.

python -m loadtest.bench                      all contenders, rooms of 10 to 5000, three rounds: about two hours
python -m loadtest.bench --quick              a room of 1000, the most important contenders, at most five minutes
python -m loadtest.bench --only storm         one of the other measurements; --help names them
"""

import argparse
import signal
import sys
import time
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from loadtest.bench.client_process import ClientFailed
from loadtest.bench.contenders.contender import Contender
from loadtest.bench.contenders.registry import ALL_CONTENDERS, QUICK_CONTENDERS
from loadtest.bench.fanout import Effort, compare_contenders, format_last_line
from loadtest.bench.measures import MEASURES
from loadtest.bench.result import save_result
from loadtest.bench.servers import NotStarted, max_members
from loadtest.bench.table import render_results
from loadtest.bench.versions import find_versions
from loadtest.core.host import REPO

QUICK_SECONDS = 215  # after which no measurement starts; the last one then ends before five minutes are over


def main() -> int:
    """Measure what the command line asks for; return the exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m loadtest.bench", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    names = ", ".join(one.name for one in ALL_CONTENDERS)
    parser.add_argument("--quick", action="store_true", help="measure for at most five minutes")
    parser.add_argument("--only", choices=["fanout", *MEASURES], default="fanout", help="make another measurement")
    parser.add_argument("--contenders", type=parse_names, metavar="NAME,...", help=f"measure these: {names}")
    parser.add_argument("--sizes", type=parse_numbers, metavar="N,...", help="sizes of the rooms, in members")
    parser.add_argument("--rounds", type=int, metavar="N", help="take the median of so many rounds")
    parser.add_argument("--seconds", type=float, metavar="S", help="length of each phase")
    options = parser.parse_args()

    print(f"bench: the limit on open files allows rooms of {max_members():,} members", flush=True)
    if options.only != "fanout":
        return measure_feature(options.only, quick=options.quick, sizes=options.sizes, seconds=options.seconds)
    effort = Effort()
    if options.quick:
        deadline = time.monotonic() + QUICK_SECONDS
        effort = Effort(sizes=(1000,), rounds=1, seconds=4, phases=("high_rate", "saturation"), deadline=deadline)
    for name in ("sizes", "rounds", "seconds"):
        if getattr(options, name):
            effort = replace(effort, **{name: getattr(options, name)})
    # Only the whole comparison gets the date alone as its file name.
    is_part = any([options.contenders, options.sizes, options.rounds, options.seconds])
    name = "-quick" if options.quick else "-part" if is_part else ""
    default = QUICK_CONTENDERS if options.quick else ALL_CONTENDERS
    return run_comparison(find_contenders(options.contenders, default), effort, name)


def run_comparison(contenders: Sequence[Contender], effort: Effort, name: str) -> int:
    """Measure, save, draw and print the comparison; return the exit code.

    Args:
        contenders: in the order in which they are measured.
        effort: how much is measured.
        name: appended to the date in the file's name.
    """
    comparison, versions = compare_contenders(contenders, effort), find_versions()
    results = comparison.results
    if not results:
        print(render_results(results, comparison.skipped))
        return 1
    path = save_result(comparison.to_json(), versions, name=name)
    try:
        from loadtest.bench import plot  # noqa: PLC0415  everything else works without matplotlib
    except ImportError:
        print("bench: matplotlib is not installed, so there is no picture; `make bench` installs it")
    else:
        plot.draw_results(results, versions, f"{datetime.now(UTC):%d %B %Y}", path.with_suffix(".png"))
    print("\n" + render_results(results, comparison.skipped) + "\n")
    if loop := comparison.empty_loop_ms:
        shown = ", ".join(f"{key} {loop[key]:.2f}" for key in ("p50", "p95", "p99", "max"))
        print(f"Latency of the empty loop, ms: {shown}")
    print("Versions: " + ", ".join(f"{key} {value}" for key, value in versions.items()))
    print(f"Saved as {path.relative_to(REPO)} and .png")
    print(format_last_line(results))
    return 0


def measure_feature(name: str, *, quick: bool, sizes: tuple[int, ...] | None, seconds: float | None) -> int:
    """Make one of the other measurements, save and print it; return the exit code."""
    rows = MEASURES[name](quick=quick, size=sizes[0] if sizes else None, seconds=seconds)
    path: Path = save_result({name: list(rows)}, find_versions(), name=f"-{name}")
    for row in rows:
        print("  ".join(format_pair(key, value) for key, value in row.items()))
    print(f"Saved as {path.relative_to(REPO)}")
    return 0


def format_pair(name: str, value: Any) -> str:
    """Return a name and its value; floats have four significant digits."""
    if isinstance(value, dict):
        return f"{name} " + ", ".join(format_pair(key, one) for key, one in value.items())
    return f"{name} {value:.4g}" if isinstance(value, float) else f"{name} {value}"


def find_contenders(names: Sequence[str] | None, default: Sequence[Contender]) -> list[Contender]:
    """Return the contenders with these names; the default if none are named. Exits if a name is unknown."""
    if not names:
        return list(default)
    unknown = set(names) - {contender.name for contender in ALL_CONTENDERS}
    if unknown:
        sys.exit(f"bench: there is no contender named {', '.join(sorted(unknown))}; see --help")
    return [contender for contender in ALL_CONTENDERS if contender.name in names]


def parse_names(text: str) -> list[str]:
    """Return the names between commas."""
    return text.split(",")


def parse_numbers(text: str) -> tuple[int, ...]:
    """Return the numbers between commas."""
    return tuple(int(number) for number in text.split(","))


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # as Ctrl-C: what was started is stopped
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)
    except (NotStarted, ClientFailed) as error:
        sys.exit(f"bench: {error or 'the client program ended with an error; its traceback is above'}")
