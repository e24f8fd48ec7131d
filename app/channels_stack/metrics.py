"""/metrics: what this process, or all of gunicorn's processes together, have counted, for Prometheus."""

import os
import time
from collections.abc import Callable, Iterator
from typing import Any

from django.db.backends.base.base import BaseDatabaseWrapper
from django.http import Http404, HttpRequest, HttpResponse
from prometheus_client import CONTENT_TYPE_LATEST, REGISTRY, CollectorRegistry, Gauge, Histogram, generate_latest
from prometheus_client.metrics_core import Metric
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.registry import Collector

from channels_realtime.metrics import DATABASE_SECONDS, LATENCY_BUCKETS_SECONDS
from channels_stack.certificate import CertificateCollector
from channels_stack.disk_space import DiskSpaceCollector

NAME_PREFIX = "channels_"
FORMER_NAME_PREFIX = "parley_"  # until the next release, for the alerts and dashboards that operators wrote

REQUESTS = Histogram(
    "channels_request_seconds",
    "One HTTP request, by its status: 2xx to 5xx.",
    ["status"],
    buckets=LATENCY_BUCKETS_SECONDS,
)
REQUESTS_OPEN = Gauge("channels_requests_open", "HTTP requests in progress.", multiprocess_mode="livesum")
for status_class in ("2xx", "3xx", "4xx", "5xx"):
    REQUESTS.labels(status_class)  # a rate needs a value before the first failure

MEASURED_AT_SCRAPE = (CertificateCollector(), DiskSpaceCollector())  # every process has the same values
for collector in MEASURED_AT_SCRAPE:
    REGISTRY.register(collector)


def metrics(request: HttpRequest) -> HttpResponse:
    """Answer in the text format of Prometheus. Raises Http404 for requests by https or through a proxy."""
    if request.is_secure() or "X-Forwarded-For" in request.headers or "X-Forwarded-Proto" in request.headers:
        raise Http404
    return HttpResponse(generate_latest(FormerNames(get_registry())), content_type=CONTENT_TYPE_LATEST)


class FormerNames(Collector):
    """The metrics of another collector, and each of those of the stack a second time under its former name."""

    def __init__(self, collector: Collector) -> None:
        self.collector = collector

    def collect(self) -> Iterator[Metric]:
        """Yield the metrics under their names, then the stack's under their former names."""
        families = list(self.collector.collect())
        yield from families
        yield from (rename(family) for family in families if family.name.startswith(NAME_PREFIX))


def rename(family: Metric) -> Metric:
    """Return a metric of the stack under its former name."""

    def former(name: str) -> str:
        return FORMER_NAME_PREFIX + name.removeprefix(NAME_PREFIX)

    renamed = Metric(former(family.name), f"The former name of {family.name}.", family.type, family.unit)
    renamed.samples = [sample._replace(name=former(sample.name)) for sample in family.samples]
    return renamed


def get_registry() -> Collector:
    """Return this process's metrics, or those of all processes that deploy/gunicorn.conf.py lets write into files."""
    if "PROMETHEUS_MULTIPROC_DIR" not in os.environ:
        return REGISTRY
    registry = CollectorRegistry()
    MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
    for collector in MEASURED_AT_SCRAPE:
        registry.register(collector)
    return registry


def time_statements(connection: BaseDatabaseWrapper, **signal: Any) -> None:
    """Time every SQL statement of a connection from now on. A receiver of connection_created."""
    if _time_statement not in connection.execute_wrappers:
        connection.execute_wrappers.append(_time_statement)


def _time_statement(execute: Callable[..., Any], sql: str, params: Any, many: bool, context: dict[str, Any]) -> Any:
    started = time.perf_counter()
    try:
        return execute(sql, params, many, context)
    finally:
        DATABASE_SECONDS.observe(time.perf_counter() - started)
