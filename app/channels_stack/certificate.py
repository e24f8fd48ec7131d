"""How long the site's certificate is valid, as the doctor saw it last, for the metrics and the admin.

The servers cannot ask themselves: on a host they have no network. A timer runs the doctor and stores its report.
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
    """The fields that are read from the doctor's JSON.

    `exit_code` is 0 or the number of the hop that failed. `certificate_days` is null when the doctor did not get as far
    as the certificate.
    """

    exit_code: int
    certificate_days: float | None = None


class StoredReport(NamedTuple):
    """The doctor's report, and when it was written, in seconds since 1970."""

    report: Report
    written_at: float


def load_report() -> StoredReport | None:
    """Return the newest report; None where there is none, or none that can be read."""
    file = Path(settings.DOCTOR_REPORT)
    try:
        return StoredReport(msgspec.json.decode(file.read_bytes(), type=Report), file.stat().st_mtime)
    except (OSError, msgspec.DecodeError):
        return None


class CertificateCollector(Collector):
    """Metrics of the newest report, read for each scrape, so that every process has the same values."""

    def describe(self) -> Iterator[Metric]:
        """Yield the metrics without values."""
        yield GaugeMetricFamily("channels_certificate_days", "Days until the certificate expires, by the doctor.")
        yield GaugeMetricFamily("channels_doctor_exit_code", "The doctor's last exit code: 0 is ok, else a hop.")
        yield GaugeMetricFamily("channels_doctor_visit_timestamp_seconds", "When the doctor ran last.")

    def collect(self) -> Iterator[Metric]:
        """Yield the metrics that have a value."""
        if stored := load_report():
            days, code, written_at = self.describe()
            values = [
                (days, stored.report.certificate_days),
                (code, stored.report.exit_code),
                (written_at, stored.written_at),
            ]
            for family, value in values:
                if value is not None:
                    family.samples.append(Sample(family.name, {}, value))
                    yield family
