"""How long visitors will trust the site's certificate, as the doctor saw it last.

Servers cannot look themselves: on a host they have no network. A timer runs the doctor and keeps what it says.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import msgspec
from django.conf import settings
from prometheus_client.metrics_core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector
from prometheus_client.samples import Sample


class Report(msgspec.Struct):
    """What we read of the doctor's JSON; null where the way ended before the certificate."""

    exit_code: int
    certificate_days: float | None = None


class Seen(NamedTuple):
    """The doctor's report, and when it was written, by time.time()."""

    report: Report
    at: float


def seen() -> Seen | None:
    """The newest report; None where there is none yet, or none that can be read."""
    file = Path(settings.DOCTOR_REPORT)
    try:
        return Seen(msgspec.json.decode(file.read_bytes(), type=Report), file.stat().st_mtime)
    except (OSError, msgspec.DecodeError):
        return None


class Certificate(Collector):
    """Read anew for each scrape: any process may be asked."""

    def describe(self) -> Iterator[Metric]:
        yield GaugeMetricFamily("parley_certificate_days", "Days left to the certificate, as the doctor saw it.")
        yield GaugeMetricFamily("parley_doctor_exit_code", "How the doctor's last visit ended: 0 is well, else a hop.")
        yield GaugeMetricFamily("parley_doctor_visit_timestamp_seconds", "When the doctor came last.")

    def collect(self) -> Iterator[Metric]:
        if found := seen():
            days, code, at = self.describe()
            values = [(days, found.report.certificate_days), (code, found.report.exit_code), (at, found.at)]
            for family, value in values:
                if value is not None:
                    family.samples.append(Sample(family.name, {}, value))
                    yield family
