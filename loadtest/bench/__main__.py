"""`make bench`: what one delivery costs, beside other ways to do it.

python -m loadtest.bench                      everybody, rooms of 10 to 5000, three rounds: about two hours
python -m loadtest.bench --quick              a room of 1000, the four that matter, at most five minutes
python -m loadtest.bench --only storm         one of the other measurements; --help names them
"""

import argparse
import signal
import sys
import time
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime

from loadtest.bench import fanout, results, versions
from loadtest.bench.client_process import ClientFailed
from loadtest.bench.contenders.contender import Contender
from loadtest.bench.contenders.field import FIELD, QUICK
from loadtest.bench.fanout import Effort
from loadtest.bench.measures import MEASURES
from loadtest.bench.programs import REPO, NotStarted, largest_room
from loadtest.bench.table import render

QUICK_SECONDS = 215  # nobody starts later; whoever has started by then is done before the five minutes are over


def main() -> int:
    """Return the exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m loadtest.bench", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--quick", action="store_true", help="at most five minutes")
    parser.add_argument("--only", choices=["fanout", *MEASURES], default="fanout", help="another measurement")
    parser.add_argument("--contenders", type=words, metavar="NAME,...", help=", ".join(one.name for one in FIELD))
    parser.add_argument("--sizes", type=numbers, metavar="N,...", help="sizes of rooms")
    parser.add_argument("--rounds", type=int, metavar="N", help="medians are taken of so many")
    parser.add_argument("--seconds", type=float, metavar="S", help="of each phase")
    options = parser.parse_args()

    print(f"bench: the limit on open files allows rooms of {largest_room():,} members", flush=True)
    if options.only != "fanout":
        return measure_one(options.only, quick=options.quick, sizes=options.sizes, seconds=options.seconds)
    effort = Effort()
    if options.quick:
        deadline = time.monotonic() + QUICK_SECONDS
        effort = Effort(sizes=(1000,), rounds=1, seconds=4, phases=("brisk", "saturation"), deadline=deadline)
    for name in ("sizes", "rounds", "seconds"):
        if getattr(options, name):
            effort = replace(effort, **{name: getattr(options, name)})
    # Only the whole comparison may stand under the bare date.
    part = any([options.contenders, options.sizes, options.rounds, options.seconds])
    name = "-quick" if options.quick else "-part" if part else ""
    return compare(chosen(options.contenders, QUICK if options.quick else FIELD), effort, name)


def compare(contenders: Sequence[Contender], effort: Effort, name: str) -> int:
    """Measure, save, draw and print."""
    measured = fanout.run(contenders, effort)
    of_all, found_versions = measured.results, versions.of_everything()
    if not of_all:
        print(render(of_all, measured.skipped))
        return 1
    path = results.save(measured.as_json(), found_versions, name=name)
    try:
        from loadtest.bench import plot  # noqa: PLC0415  everything else works without matplotlib
    except ImportError:
        print("bench: no plot, matplotlib is not installed: `make bench` does that")
    else:
        plot.draw(of_all, found_versions, f"{datetime.now(UTC):%d %B %Y}", path.with_suffix(".png"))
    print("\n" + render(of_all, measured.skipped) + "\n")
    loop = measured.as_json()["empty_loop_ms"]
    print("Latency of the empty loop, ms: " + ", ".join(f"{name} {value:.2f}" for name, value in loop.items()))
    print("Versions: " + ", ".join(f"{name} {value}" for name, value in found_versions.items()))
    print(f"Saved as {path.relative_to(REPO)} and .png")
    print(fanout.last_line(of_all))
    return 0


def measure_one(name: str, *, quick: bool, sizes: tuple[int, ...] | None, seconds: float | None) -> int:
    """Run one of the other measurements, and save it beside the comparison."""
    measured = MEASURES[name](quick=quick, size=sizes[0] if sizes else None, seconds=seconds)
    path = results.save({name: measured}, versions.of_everything(), name=f"-{name}")
    for row in measured:
        print(
            "  ".join(
                f"{key} {value:.4g}" if isinstance(value, float) else f"{key} {value}" for key, value in row.items()
            )
        )
    print(f"Saved as {path.relative_to(REPO)}")
    return 0


def chosen(names: Sequence[str] | None, otherwise: Sequence[Contender]) -> list[Contender]:
    if not names:
        return list(otherwise)
    unknown = set(names) - {contender.name for contender in FIELD}
    if unknown:
        sys.exit(f"bench: nobody is called {', '.join(sorted(unknown))}; see --help")
    return [contender for contender in FIELD if contender.name in names]


def words(text: str) -> list[str]:
    return text.split(",")


def numbers(text: str) -> tuple[int, ...]:
    return tuple(int(word) for word in text.split(","))


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # as Ctrl-C: what was started is stopped
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)
    except (NotStarted, ClientFailed) as error:
        sys.exit(f"bench: {error or 'the client broke; its traceback is above'}")
