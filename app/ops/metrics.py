"""What this process has counted, or all of gunicorn's together, for Prometheus. Only who is on the machine may ask."""

import os
import time
from collections.abc import Callable
from typing import Any

from django.db.backends.base.base import BaseDatabaseWrapper
from django.http import Http404, HttpRequest, HttpResponse
from prometheus_client import CONTENT_TYPE_LATEST, REGISTRY, CollectorRegistry, Gauge, Histogram, generate_latest
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.registry import Collector

from ops.certificate import Certificate
from realtime.metrics import DATABASE_SECONDS, LATENCY_BUCKETS_SECONDS

REQUESTS = Histogram(
    "parley_request_seconds",
    "One HTTP request, by its status: 2xx to 5xx.",
    ["status"],
    buckets=LATENCY_BUCKETS_SECONDS,
)
REQUESTS_OPEN = Gauge("parley_requests_open", "HTTP requests at work now.", multiprocess_mode="livesum")
for family in "2345":
    REQUESTS.labels(f"{family}xx")

REGISTRY.register(Certificate())


def metrics(request: HttpRequest) -> HttpResponse:
    """The text format of Prometheus. 404 to the public, which comes by https or through a proxy."""
    if request.is_secure() or "X-Forwarded-For" in request.headers or "X-Forwarded-Proto" in request.headers:
        raise Http404
    return HttpResponse(generate_latest(registry()), content_type=CONTENT_TYPE_LATEST)


def registry() -> Collector:
    """Of several processes behind one socket (deploy/gunicorn.conf.py) each has its numbers in files for the others."""
    if "PROMETHEUS_MULTIPROC_DIR" not in os.environ:
        return REGISTRY
    together = CollectorRegistry()
    MultiProcessCollector(together)  # type: ignore[no-untyped-call]
    together.register(Certificate())
    return together


def time_statements(connection: BaseDatabaseWrapper, **signal: Any) -> None:
    """Count every SQL statement of a new connection."""
    if timed not in connection.execute_wrappers:
        connection.execute_wrappers.append(timed)


def timed(execute: Callable[..., Any], sql: str, params: Any, many: bool, context: dict[str, Any]) -> Any:
    began = time.perf_counter()
    try:
        return execute(sql, params, many, context)
    finally:
        DATABASE_SECONDS.observe(time.perf_counter() - began)
