"""Reports errors to Sentry where SENTRY_DSN says so: where they happened, and never what users wrote.

The tag `request_id` leads to the details in the site's own log. Without a DSN the SDK is not even imported.
"""

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import TYPE_CHECKING, Any

from channels_stack.logs import COMMAND_ID, REQUEST_ID

if TYPE_CHECKING:
    from sentry_sdk.types import Event, Hint

KEPT_FIELDS = {
    *("type", "timestamp", "start_timestamp", "event_id", "level", "platform", "release", "environment"),
    *("transaction", "transaction_info", "exception", "logger", "server_name", "modules", "sdk", "spans"),
}
NO_TRACE = nullcontext()
_is_started = False


def trace_command(name: str) -> AbstractContextManager[None]:
    """Return a context manager that reports one command of a WebSocket as a transaction."""
    return _transaction(name) if _is_started else NO_TRACE


def start(dsn: str, *, release: str, environment: str, traces: float) -> None:
    """Report errors from now on; do nothing when `dsn` is empty.

    Args:
        dsn: The address of the project at Sentry.
        release: The name of this release.
        environment: What Sentry shows as the environment.
        traces: The share of requests and commands whose duration is reported, 0 to 1.
    """
    if not dsn:
        return
    import sentry_sdk  # noqa: PLC0415  it takes 4 MB and 0.1 s, which sites without Sentry save
    from sentry_sdk.integrations.argv import ArgvIntegration  # noqa: PLC0415
    from sentry_sdk.integrations.django import DjangoIntegration  # noqa: PLC0415
    from sentry_sdk.integrations.logging import ignore_logger  # noqa: PLC0415
    from sentry_sdk.integrations.stdlib import StdlibIntegration  # noqa: PLC0415

    global _is_started  # noqa: PLW0603
    sentry_sdk.init(
        dsn,
        release=release,
        environment=environment,
        traces_sample_rate=traces,
        before_send=scrub,
        before_send_transaction=scrub,
        send_default_pii=False,
        include_local_variables=False,  # they contain messages
        max_request_body_size="never",
        max_breadcrumbs=0,
        auto_session_tracking=False,
        propagate_traces=False,
        auto_enabling_integrations=False,
        integrations=[DjangoIntegration(middleware_spans=False)],
        disabled_integrations=[ArgvIntegration(), StdlibIntegration()],
    )
    ignore_logger("django.security.DisallowedHost")  # scanners cause it
    _is_started = True


@contextmanager
def _transaction(name: str) -> Iterator[None]:
    """One transaction for a command. Sentry's ASGI middleware would make one for the whole life of a WebSocket."""
    import sentry_sdk  # noqa: PLC0415

    with sentry_sdk.isolation_scope(), sentry_sdk.start_transaction(op="websocket.server", name=f"ws {name}"):
        yield


def scrub(event: "Event", hint: "Hint") -> "Event":
    """Return the part of an event that may leave the site.

    Addresses, cookies, headers, bodies, paths (some contain tokens) and arguments are removed, and so are the messages
    of errors, which may quote any of these.
    """
    kept: dict[str, Any] = {name: value for name, value in event.items() if name in KEPT_FIELDS}
    if kept.get("transaction_info", {}).get("source") == "url":  # a path instead of a route
        kept["transaction"] = "unknown"
    kept["tags"] = {"request_id": REQUEST_ID.get(), "command": str(COMMAND_ID.get() or "")}
    if "request" in event:
        kept["request"] = {"method": event["request"].get("method")}
    trace = event.get("contexts", {}).get("trace", {})
    kept["contexts"] = {"trace": {name: trace.get(name) for name in ("trace_id", "span_id", "op", "status")}}
    if "logentry" in event:
        kept["logentry"] = {"message": str(event["logentry"].get("message", "")).split("\n", 1)[0]}
    for error in kept.get("exception", {}).get("values", ()):
        error["value"] = "See the log of the site, under the tag request_id."
    for span in kept.get("spans", ()):
        span.pop("data", None)
    return kept  # type: ignore[return-value]
