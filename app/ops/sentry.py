"""Errors go to Sentry where SENTRY_DSN says so: where it broke and in which release, and nothing of what people said.

Who has to know more looks for the request's id in our own log. Without a DSN nothing here is imported or asked.
"""

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import TYPE_CHECKING, Any

from ops.logs import COMMAND_ID, REQUEST_ID

if TYPE_CHECKING:
    from sentry_sdk.types import Event, Hint

KEPT = {"type", "timestamp", "start_timestamp", "event_id", "level", "platform", "release", "environment"}
KEPT |= {"transaction", "transaction_info", "exception", "logger", "server_name", "modules", "sdk", "spans"}
NOTHING = nullcontext()
_on = False


def trace_command(name: str) -> AbstractContextManager[None]:
    """`with trace_command("send"):` around what a socket asks for: a transaction of its own."""
    return watched(name) if _on else NOTHING


def start(dsn: str, *, release: str, environment: str, traces: float) -> None:
    """Report from now on, if there is a DSN. traces: the share of requests and commands that are timed, 0 to 1."""
    if not dsn:
        return
    import sentry_sdk  # noqa: PLC0415  4 MB and 0.1 s for who does not use it
    from sentry_sdk.integrations.argv import ArgvIntegration  # noqa: PLC0415
    from sentry_sdk.integrations.django import DjangoIntegration  # noqa: PLC0415
    from sentry_sdk.integrations.logging import ignore_logger  # noqa: PLC0415
    from sentry_sdk.integrations.stdlib import StdlibIntegration  # noqa: PLC0415

    global _on  # noqa: PLW0603
    sentry_sdk.init(
        dsn,
        release=release,
        environment=environment,
        traces_sample_rate=traces,
        before_send=scrubbed,
        before_send_transaction=scrubbed,
        send_default_pii=False,
        include_local_variables=False,  # they hold messages
        max_request_body_size="never",
        max_breadcrumbs=0,
        auto_session_tracking=False,
        propagate_traces=False,
        auto_enabling_integrations=False,
        integrations=[DjangoIntegration(middleware_spans=False)],
        disabled_integrations=[ArgvIntegration(), StdlibIntegration()],
    )
    ignore_logger("django.security.DisallowedHost")  # scanners
    _on = True


@contextmanager
def watched(name: str) -> Iterator[None]:
    """Sentry's own ASGI middleware would make one transaction of a socket's whole life."""
    import sentry_sdk  # noqa: PLC0415

    with sentry_sdk.isolation_scope(), sentry_sdk.start_transaction(op="websocket.server", name=f"ws {name}"):
        yield


def scrubbed(event: "Event", hint: "Hint") -> "Event":
    """What may leave: no address, cookie, header, body, path (some hold tokens) or argument.

    Nor an error's own words: they may quote any of these.
    """
    said: dict[str, Any] = {name: value for name, value in event.items() if name in KEPT}
    if said.get("transaction_info", {}).get("source") == "url":  # a path, not a route
        said["transaction"] = "unknown"
    said["tags"] = {"request_id": REQUEST_ID.get(), "command": str(COMMAND_ID.get() or "")}
    if "request" in event:
        said["request"] = {"method": event["request"].get("method")}
    trace = event.get("contexts", {}).get("trace", {})
    said["contexts"] = {"trace": {name: trace.get(name) for name in ("trace_id", "span_id", "op", "status")}}
    if "logentry" in event:
        said["logentry"] = {"message": str(event["logentry"].get("message", "")).split("\n", 1)[0]}
    for error in said.get("exception", {}).get("values", ()):
        error["value"] = "See our log, under the tag request_id."
    for span in said.get("spans", ()):
        span.pop("data", None)
    return said  # type: ignore[return-value]
