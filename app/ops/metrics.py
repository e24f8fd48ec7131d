"""/metrics: what this process, or all of gunicorn's processes together, have counted, for Prometheus."""

import os
import time
from collections.abc import Callable
from typing import Any

from django.db.backends.base.base import BaseDatabaseWrapper
from django.http import Http404, HttpRequest, HttpResponse
from prometheus_client import CONTENT_TYPE_LATEST, REGISTRY, CollectorRegistry, Gauge, Histogram, generate_latest
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.registry import Collector

from ops.certificate import CertificateCollector
from realtime.metrics import DATABASE_SECONDS, LATENCY_BUCKETS_SECONDS

REQUESTS = Histogram(
    "parley_request_seconds",
    "One HTTP request, by its status: 2xx to 5xx.",
    ["status"],
    buckets=LATENCY_BUCKETS_SECONDS,
)
REQUESTS_OPEN = Gauge("parley_requests_open", "HTTP requests in progress.", multiprocess_mode="livesum")
for status_class in ("2xx", "3xx", "4xx", "5xx"):
    REQUESTS.labels(status_class)  # a rate needs a value before the first failure

REGISTRY.register(CertificateCollector())


def metrics(request: HttpRequest) -> HttpResponse:
    """Answer in the text format of Prometheus. Raises Http404 for requests by https or through a proxy."""
    if request.is_secure() or "X-Forwarded-For" in request.headers or "X-Forwarded-Proto" in request.headers:
        raise Http404
    return HttpResponse(generate_latest(get_registry()), content_type=CONTENT_TYPE_LATEST)


def get_registry() -> Collector:
    """Return this process's metrics, or those of all processes that deploy/gunicorn.conf.py lets write into files."""
    if "PROMETHEUS_MULTIPROC_DIR" not in os.environ:
        return REGISTRY
    registry = CollectorRegistry()
    MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
    registry.register(CertificateCollector())
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
