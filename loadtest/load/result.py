"""The result of `make load`: what was asked, what was measured, and the verdict.

`result.schema.json` is generated from these types: `python -m loadtest.schemas`.
"""

import base64
import sys
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, NotRequired, TypedDict, cast

from loadtest.core.latency import LatencySummary
from loadtest.core.result_file import BadResult, read_json, round_figures
from loadtest.core.versions import Machine, describe_machine, python_versions
from loadtest.load.ack_ledger import FAULTS
from loadtest.load.generator_health import find_void_reasons
from loadtest.load.plan import USER_JOURNEY
from loadtest.load.scenarios.scenario import Knee
from loadtest.load.server_usage import UsageRow, measure_slope
from loadtest.load.slo import Threshold, ThresholdResult, check_thresholds
from loadtest.load.totals import Figures, SecondRow

if TYPE_CHECKING:  # it imports gevent, which capacity.py and --help do not need
    from loadtest.load.director import Director

VERSION: Literal[2] = 2
DIGITS = 5  # significant digits of a figure in the file
PASS: Literal["pass"] = "pass"  # noqa: S105
FAIL: Literal["fail"] = "fail"
VOID: Literal["void"] = "void"
MIN_SECONDS_FOR_SLOPE = 600.0  # a shorter run shows the growth of memory at its beginning only
UNREPORTED = ("cookies", "key", "rooms", "senders", "project")  # fields of the plan: secrets, and what is not asked
SOCKET_FAULTS = ("refused", "closed")  # like lost messages, these are no matter of time
ANY_PHASE = ("connect", "handshake", "caught_up", "recovered", "page")  # latencies that belong to no phase


class PlanSummary(TypedDict):
    """What was asked."""

    scenario: str
    url: str
    rooms: int
    sockets: int
    members: float  # sockets in a room, on average
    rooms_each: int
    rate: float  # messages a second and room
    seconds: float
    characters: int
    connect_rate: float
    limit: float
    behaviour: str
    verify: bool
    delivery_timeout: float


class OracleTotals(TypedDict):
    """What the oracle found."""

    sent: int
    acked: int
    deliveries: int
    expected: int
    lost: int
    duplicated: int
    out_of_order: int
    phantom: int
    unacked: int
    refused: int
    not_recovered: int  # resumes that the server answered with a snapshot


class Rates(TypedDict):
    """Of the phases that count."""

    messages_per_s: float
    deliveries_per_s: float


class PhaseSummary(Figures):
    """One phase."""

    name: str
    seconds: float
    rate: float  # messages a second, of all rooms
    counts: bool
    starts: float  # seconds since the run began


class ClockSummary(TypedDict):
    """The clock of one worker."""

    worker: str
    offset_ms: float
    uncertain_ms: float
    wall_clock_ahead_ms: float


class GeneratorSummary(TypedDict):
    """The load generator itself. Shares are of one core, of the busiest worker."""

    workers: int
    cpu_mean: float
    cpu_max: float
    waited_mean: float
    peak_mib: float
    clocks: list[ClockSummary]


class ServerSummary(TypedDict):
    """The server, by name of its processes."""

    cpu: dict[str, float]  # shares of one core
    us_per_delivery: dict[str, float]
    mib: dict[str, float]
    kib_per_socket: dict[str, float]
    accept_ms: float  # CPU milliseconds until a socket is in its rooms
    memory_mib_per_h: float | None  # growth; None if the run was too short to tell
    series: list[UsageRow]


class LoadResult(TypedDict):
    """The whole file."""

    version: Literal[2]
    measured_at: str  # UTC, to the minute
    scenario: str
    question: str
    plan: PlanSummary
    versions: dict[str, str]
    machine: Machine
    seconds: float
    oracle: OracleTotals
    rates: Rates
    latency_ms: dict[str, LatencySummary]
    counters: dict[str, dict[str, int]]  # refused, failed, closed, other
    phases: list[PhaseSummary]
    generator: GeneratorSummary
    server: ServerSummary | None
    series: list[SecondRow]
    histograms: dict[str, str]  # HDR, base64
    knee: NotRequired[Knee]  # of a ramp
    slo: list[ThresholdResult]
    failed: list[str]
    void: list[str]
    verdict: Literal["pass", "fail", "void"]


def build_result(director: "Director", thresholds: list[Threshold], seconds: float) -> LoadResult:
    """Return the result of a run.

    Args:
        director: of the run, which is over.
        thresholds: decide the verdict.
        seconds: the run took.

    Raises:
        BadThreshold: a threshold has an unknown name.
    """
    totals, plan = director.totals, director.plan
    measured, total = totals.measured.summarize(), totals.total.summarize()
    latency = {name: one for name, one in measured["latency_ms"].items() if name not in ANY_PHASE}
    latency |= {name: one for name, one in total["latency_ms"].items() if name in ANY_PHASE}
    counting = [row for row in totals.rows if row["phase"] in totals.counting]
    cpu = [row["generator_cpu"] for row in counting]
    counters = totals.total.counters
    asked = {name: value for name, value in asdict(plan).items() if name not in UNREPORTED}
    oracle = OracleTotals(
        sent=total["sent"],
        acked=total["acked"],
        deliveries=total["deliveries"],
        expected=director.verdict.expected,
        lost=director.verdict.lost,
        duplicated=total["duplicated"],
        out_of_order=total["out_of_order"],
        phantom=total["phantom"] + director.verdict.phantom,
        unacked=director.unacked,
        refused=counters.refused.total(),
        not_recovered=counters.other["not recovered"],
    )
    talk = sum(phase.seconds for phase in director.phases if phase.counts)
    result = LoadResult(
        version=VERSION,
        measured_at=f"{datetime.now(UTC):%Y-%m-%dT%H:%MZ}",
        scenario=plan.scenario,
        question=director.scenario.question,
        plan=cast("PlanSummary", asked | {"rooms": len(plan.rooms), "members": plan.members}),
        versions=python_versions(("locust", "gevent")),
        machine=describe_machine(),
        seconds=seconds,
        oracle=oracle,
        rates=Rates(
            messages_per_s=measured["sent"] / talk if talk else 0.0,
            deliveries_per_s=measured["deliveries"] / talk if talk else 0.0,
        ),
        latency_ms=latency,
        counters=counters.to_json(),
        phases=[_summarize_phase(director, number) for number in range(len(director.phases))],
        generator=_summarize_generator(director, counting),
        server=_summarize_server(director, measured, talk),
        series=totals.rows,
        histograms={name: base64.b64encode(one.encode()).decode() for name, one in totals.measured.latencies.items()},
        slo=[],
        failed=[],
        void=find_void_reasons(latency, cpu, director.max_lag_ms) + find_void_reasons({}, _cpu_of_reconnects(director)),
        verdict=PASS,
    )
    if director.scenario.knee:
        result["knee"] = director.scenario.knee
    figures = list_figures(result)
    result["slo"] = check_thresholds(thresholds, figures)
    result["failed"] = [
        f"{row['threshold']} does not hold: {_describe_value(row['value'])}."
        for row in result["slo"]
        if not row["holds"]
    ]
    if oracle["deliveries"] - oracle["duplicated"] != oracle["expected"] - oracle["lost"] and not result["failed"]:
        result["failed"].append(f"{oracle['deliveries']:,} deliveries were counted, {oracle['expected']:,} expected.")
    has_faults = any(oracle[name] for name in FAULTS)  # type: ignore[literal-required]
    has_faults |= any(one.name in SOCKET_FAULTS and not one.holds(figures[one.name]) for one in thresholds)
    # A lost message is lost, however slow the generator was; only latencies are void then.
    result["verdict"] = FAIL if has_faults else VOID if result["void"] else FAIL if result["failed"] else PASS
    rounded: LoadResult = round_figures(result, DIGITS)
    return rounded


def _cpu_of_reconnects(director: "Director") -> list[float]:
    """Return the generator's CPU while sockets reconnected in a storm: the average over the run would hide it."""
    storms = {number for number, phase in enumerate(director.phases) if phase.storm}
    rows = [row for row in director.totals.rows if row["phase"] in storms]
    return [row["generator_cpu"] for row in rows if row["sockets"] < director.plan.sockets]


def _describe_value(value: float | None) -> str:
    return "it was not measured" if value is None else f"it is {value:,.10g}"


def _summarize_phase(director: "Director", number: int) -> PhaseSummary:
    phase = director.phases[number]
    return PhaseSummary(
        name=phase.name,
        seconds=phase.seconds,
        rate=phase.rate,
        counts=phase.counts,
        starts=(phase.starts - director.totals.began) / 1e9,
        **director.totals.phases[number].summarize(),
    )


def _summarize_generator(director: "Director", counting: list[SecondRow]) -> GeneratorSummary:
    generators = director.totals.generators
    cpu = [row["generator_cpu"] for row in counting]
    return GeneratorSummary(
        workers=len(generators),
        cpu_mean=sum(cpu) / len(cpu) if cpu else 0.0,
        cpu_max=max(cpu, default=0.0),
        waited_mean=sum(row["generator_waited"] for row in counting) / len(counting) if counting else 0.0,
        peak_mib=max((one.peak_rss for one in generators.values()), default=0) / 2**20,
        clocks=[
            ClockSummary(
                worker=name,
                offset_ms=offset.nanoseconds / 1e6,
                uncertain_ms=offset.uncertainty / 1e6,
                wall_clock_ahead_ms=director.wall_clocks_ms[name],
            )
            for name, offset in director.clocks.items()
        ],
    )


def _summarize_server(director: "Director", measured: Figures, talk: float) -> ServerSummary | None:
    """Return what the phases that count cost the server, and what it cost it to accept the sockets."""
    server, plan = director.server, director.plan
    if server is None or not server.rows:
        return None
    spans = [
        (phase.starts - director.totals.began, phase.starts - director.totals.began + int(phase.seconds * 1e9))
        for phase in director.phases
        if phase.counts
    ]
    rows = [row for row in server.rows if any(start <= row["second"] * 1e9 < end for start, end in spans)]
    names = list(server.roots)
    cpu = {name: sum(row["cpu"].get(name, 0.0) for row in rows) / max(1, len(rows)) for name in names}
    first, last = server.rows[0]["mib"], (rows or server.rows[-1:])[0]["mib"]
    memory = [(row["second"], sum(row["mib"].values())) for row in rows[len(rows) // 10 :]]  # without the beginning
    deliveries = measured["deliveries"]
    return ServerSummary(
        cpu=cpu,
        us_per_delivery={name: share * talk * 1e6 / deliveries for name, share in cpu.items()} if deliveries else {},
        mib={name: max(row["mib"].get(name, 0.0) for row in server.rows) for name in names},
        kib_per_socket={
            name: max(0.0, last.get(name, 0.0) - first.get(name, 0.0)) * 1024 / plan.sockets for name in names
        },
        accept_ms=director.join_cpu_seconds * 1e3 / plan.sockets,
        memory_mib_per_h=measure_slope(memory) * 3600 if talk >= MIN_SECONDS_FOR_SLOPE else None,
        series=server.rows,
    )


def list_figures(result: LoadResult) -> dict[str, float]:
    """Return everything that a threshold or a comparison can name."""
    oracle: dict[str, Any] = dict(result["oracle"])
    found: dict[str, float] = {name: oracle[name] for name in (*FAULTS, "refused", "deliveries", "sent")}
    found["closed"] = sum(result["counters"].get("closed", {}).values())
    found |= cast("dict[str, float]", result["rates"])
    for kind, summary in result["latency_ms"].items():
        found |= {f"{name}_{kind}_ms": float(str(value)) for name, value in summary.items() if name != "count"}
    found["generator_cpu"] = result["generator"]["cpu_mean"]
    if server := result.get("server"):
        found["server_cpu"] = sum(server["cpu"].values())
        found["us_per_delivery"] = sum(server["us_per_delivery"].values())
        found["kib_per_socket"] = sum(server["kib_per_socket"].values())
        found["accept_ms"] = server["accept_ms"]
        if server["memory_mib_per_h"] is not None:
            found["memory_mib_per_h"] = server["memory_mib_per_h"]
    if knee := result.get("knee"):
        found["knee_messages_per_s"] = knee["messages_per_s"]
    return found


def read_result(path: Path) -> LoadResult:
    """Read the result of an earlier run. One of version 1 is converted, with a warning.

    Raises:
        BadResult: the file is something else.
    """
    found = read_json(path)
    if found.get("format") == 1:
        print(f"load: {path} has version 1; the next release will not read it. Measure again.", file=sys.stderr)
        found = _convert_version_1(found)
    if found.get("version") != VERSION or "scenario" not in found:
        raise BadResult(f"{path} is not a result of this load test.")
    return cast("LoadResult", found)


def _convert_version_1(old: dict[str, Any]) -> dict[str, Any]:
    """Return a result of version 1 with the names of version 2."""
    new = {name: value for name, value in old.items() if name not in ("format", "named")}
    counters = {("other" if name == "told" else name): counts for name, counts in old["named"].items()}
    oracle = dict(old["oracle"])
    oracle["not_recovered"] = oracle.pop("started_afresh", 0)
    plan = dict(old["plan"])
    if "stop_after" in plan:
        plan["delivery_timeout"] = plan.pop("stop_after")
    if old["scenario"] == "day":
        new["scenario"] = plan["scenario"] = "user-journey"
        plan["behaviour"] = USER_JOURNEY
    return {**new, "version": VERSION, "counters": counters, "oracle": oracle, "plan": plan}
