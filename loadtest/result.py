"""A run as JSON: what was asked, what was measured, and the verdict."""

import base64
import os
import platform
from dataclasses import asdict
from datetime import UTC, datetime
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

from loadtest.generator import why_void
from loadtest.oracle import FAULTS
from loadtest.slo import Threshold, judged
from loadtest.stored import FORMAT
from loadtest.trend import slope

if TYPE_CHECKING:
    from loadtest.director import Director

PASS, FAIL, VOID = "pass", "fail", "void"
LONG_ENOUGH = 600.0  # seconds, for a slope of memory that is more than the beginning
TIMED_ANYWHERE = ("connect", "handshake", "caught_up", "recovered", "page")  # coming in belongs to no phase


def of_run(director: "Director", wanted: list[Threshold], seconds: float) -> dict[str, Any]:
    """Raises BadThreshold."""
    tally, plan = director.tally, director.plan
    measured, total = tally.measured.summary(), tally.total.summary()
    latency = {name: one for name, one in measured["latency_ms"].items() if name not in TIMED_ANYWHERE}
    latency |= {name: one for name, one in total["latency_ms"].items() if name in TIMED_ANYWHERE}
    counting = [row for row in tally.rows if row["phase"] in tally.counting]
    cpu = [row["generator_cpu"] for row in counting]
    void = why_void(latency, cpu, director.most_lag_ms) + why_void({}, _while_away(director))
    named = {name: dict(counter) for name, counter in tally.total.named.items() if counter}
    oracle = {
        "sent": total["sent"],
        "acked": total["acked"],
        "deliveries": total["deliveries"],
        "expected": director.verdict.expected,
        "lost": director.verdict.lost,
        "duplicated": total["duplicated"],
        "out_of_order": total["out_of_order"],
        "phantom": total["phantom"] + director.verdict.phantom,
        "unacked": director.unacked,
        "refused": sum(tally.total.named["refused"].values()),
        "started_afresh": tally.total.named["told"]["started afresh"],
    }
    talk = sum(phase.seconds for phase in director.phases if phase.counts)
    result: dict[str, Any] = {
        "format": FORMAT,
        "measured_at": f"{datetime.now(UTC):%Y-%m-%dT%H:%MZ}",
        "scenario": plan.scenario,
        "question": director.scenario.question,
        "plan": {name: value for name, value in asdict(plan).items() if name not in ("cookies", "key", "rooms")}
        | {"rooms": len(plan.rooms), "members": plan.members},
        "versions": {"Python": platform.python_version(), "locust": version("locust"), "gevent": version("gevent")},
        "machine": {"cores": os.cpu_count(), "kernel": platform.release()},
        "seconds": seconds,
        "oracle": oracle,
        "rates": {
            "messages_per_s": measured["sent"] / talk if talk else 0.0,
            "deliveries_per_s": measured["deliveries"] / talk if talk else 0.0,
        },
        "latency_ms": latency,
        "named": named,
        "phases": [_phase(director, number) for number in range(len(director.phases))],
        "generator": {
            "workers": len(tally.generators),
            "cpu_mean": sum(cpu) / len(cpu) if cpu else 0.0,
            "cpu_max": max(cpu, default=0.0),
            "waited_mean": sum(row["generator_waited"] for row in counting) / len(counting) if counting else 0.0,
            "peak_mib": max((one.peak_rss for one in tally.generators.values()), default=0) / 2**20,
            "clocks": [
                {
                    "worker": name,
                    "offset_ms": offset.nanoseconds / 1e6,
                    "uncertain_ms": offset.uncertainty / 1e6,
                    "wall_clock_ahead_ms": director.walls[name],
                }
                for name, offset in director.clocks.items()
            ],
        },
        "server": _server(director, measured, talk),
        "series": tally.rows,
        "histograms": {name: base64.b64encode(one.encode()).decode() for name, one in tally.measured.latencies.items()},
        **director.scenario.found,
    }
    slo = judged(wanted, figures(result))
    failed = [f"{row['threshold']} does not hold: {_value(row['value'])}." for row in slo if not row["holds"]]
    if oracle["deliveries"] - oracle["duplicated"] != oracle["expected"] - oracle["lost"] and not failed:
        failed.append(f"{oracle['deliveries']:,} deliveries were counted, {oracle['expected']:,} expected.")
    wrong = any(oracle[name] for name in FAULTS)
    result |= {
        "slo": slo,
        "failed": failed,
        "void": void,
        # What was lost is lost, however slow the generator was; its latencies are another matter.
        "verdict": FAIL if wrong else VOID if void else FAIL if failed else PASS,
    }
    rounded_off: dict[str, Any] = rounded(result)
    return rounded_off


def _while_away(director: "Director") -> list[float]:
    """How busy the generator was while sockets came back from a storm: on average over the run that would not show."""
    storms = {number for number, phase in enumerate(director.phases) if phase.storm}
    rows = [row for row in director.tally.rows if row["phase"] in storms]
    return [row["generator_cpu"] for row in rows if row["sockets"] < director.plan.sockets]


def _value(value: object) -> str:
    return "it was not measured" if value is None else f"it is {value:,.10g}"


def _phase(director: "Director", number: int) -> dict[str, Any]:
    phase = director.phases[number]
    return {
        "name": phase.name,
        "seconds": phase.seconds,
        "rate": phase.rate,
        "counts": phase.counts,
        "starts": (phase.starts - director.tally.began) / 1e9,
        **director.tally.phases[number].summary(),
    }


def _server(director: "Director", measured: dict[str, Any], talk: float) -> dict[str, Any] | None:
    """What it cost: of the measured phases, and of coming in."""
    server, plan = director.server, director.plan
    if server is None or not server.rows:
        return None
    spans = [
        (phase.starts - director.tally.began, phase.starts - director.tally.began + int(phase.seconds * 1e9))
        for phase in director.phases
        if phase.counts
    ]
    rows = [row for row in server.rows if any(start <= row["second"] * 1e9 < end for start, end in spans)]
    names = list(server.roots)
    cpu = {name: sum(row["cpu"].get(name, 0.0) for row in rows) / max(1, len(rows)) for name in names}
    first, last = server.rows[0]["mib"], server.rows[-1]["mib"]
    total = [(row["second"], sum(row["mib"].values())) for row in rows[len(rows) // 10 :]]  # once it has settled
    return {
        "cpu": cpu,  # shares of one core
        "us_per_delivery": {name: share * talk * 1e6 / measured["deliveries"] for name, share in cpu.items()}
        if measured["deliveries"]
        else {},
        "mib": {name: max(row["mib"].get(name, 0.0) for row in server.rows) for name in names},
        "kib_per_socket": {
            name: max(0.0, (rows[0]["mib"] if rows else last).get(name, 0.0) - first.get(name, 0.0))
            * 1024
            / plan.sockets
            for name in names
        },
        "accept_ms": director.spent["in"] * 1e3 / plan.sockets,  # CPU
        "memory_mib_per_h": slope(total) * 3600 if talk >= LONG_ENOUGH else None,
        "series": server.rows,
    }


def figures(result: dict[str, Any]) -> dict[str, float]:
    """Everything that a threshold or a comparison can name."""
    found: dict[str, float] = {name: result["oracle"][name] for name in (*FAULTS, "refused", "deliveries", "sent")}
    found |= result["rates"]
    for kind, summary in result["latency_ms"].items():
        found |= {f"{name}_{kind}_ms": value for name, value in summary.items() if name != "count"}
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


def rounded(value: Any) -> Any:
    """Five significant digits of anything that is not counted."""
    if isinstance(value, dict):
        return {key: rounded(one) for key, one in value.items()}
    if isinstance(value, list):
        return [rounded(one) for one in value]
    return float(f"{value:.5g}") if isinstance(value, float) else value
