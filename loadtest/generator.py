"""Whether the figures are the server's: a generator that was late or short of CPU measures itself."""

from typing import Any

MOST_LAG_MS = 50.0  # p99 of how late messages leave, and of how long the generator's own loop stands still
MOST_CPU = 0.9  # of a core, on average


def why_void(latency_ms: dict[str, Any], cpu: list[float], most_lag_ms: float = MOST_LAG_MS) -> list[str]:
    """Reasons, one sentence each; empty when the figures can be trusted. `cpu`: a share for each second, of the
    busiest worker."""
    reasons = []
    lag = latency_ms.get("lag", {}).get("p99", 0.0)
    loop = latency_ms.get("loop", {}).get("p99", 0.0)
    if lag > most_lag_ms:
        reasons.append(f"one message in a hundred left {lag:,.0f} ms late or more; {most_lag_ms:g} ms are allowed.")
    if loop > most_lag_ms:
        reasons.append(f"the generator stood still for {loop:,.0f} ms and longer; {most_lag_ms:g} ms are allowed.")
    if cpu and (mean := sum(cpu) / len(cpu)) > MOST_CPU:
        reasons.append(f"a generator was busy for {mean:.0%} of its core; take more --processes or a lower rate.")
    return reasons
