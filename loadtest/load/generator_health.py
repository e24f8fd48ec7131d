"""Whether the figures are the server's: a generator that is late or short of CPU measures itself."""

from collections.abc import Mapping

from loadtest.core.latency import LatencySummary

MAX_LAG_MS = 50.0  # p99 of how late messages leave, and of how late the generator's own timers are
MAX_CPU = 0.9  # of a core, on average


def find_void_reasons(
    latency_ms: Mapping[str, LatencySummary], cpu: list[float], max_lag_ms: float = MAX_LAG_MS
) -> list[str]:
    """Return why the figures cannot be trusted, one sentence each; empty if they can.

    Args:
        latency_ms: with `lag` (how late messages left) and `loop` (how late timers were), if they were measured.
        cpu: share of a core for each second, of the busiest worker.
        max_lag_ms: p99 that both may have.
    """
    reasons = []
    lag = latency_ms["lag"]["p99"] if "lag" in latency_ms else 0.0
    loop = latency_ms["loop"]["p99"] if "loop" in latency_ms else 0.0
    if lag > max_lag_ms:
        reasons.append(f"One message in a hundred left {lag:,.0f} ms late or more; {max_lag_ms:g} ms are allowed.")
    if loop > max_lag_ms:
        reasons.append(f"The generator stood still for {loop:,.0f} ms and longer; {max_lag_ms:g} ms are allowed.")
    if cpu and (mean := sum(cpu) / len(cpu)) > MAX_CPU:
        reasons.append(f"A generator was busy for {mean:.0%} of its core; take more --processes or a lower rate.")
    return reasons
