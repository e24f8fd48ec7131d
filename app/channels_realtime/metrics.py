"""The metrics of this process, for /metrics. deploy/metrics.md says what each is for."""

from prometheus_client import Counter, Gauge, Histogram, disable_created_metrics

from . import shutdown

disable_created_metrics()  # type: ignore[no-untyped-call]  # a second series for each metric, of no use here

HANDSHAKE_RESULTS = ("accepted", "refused", "failed", "leaving")  # leaving: refused because the server drains
LATENCY_BUCKETS_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)
SHORT_LATENCY_BUCKETS_SECONDS = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5)


def live_gauge(name: str, documentation: str) -> Gauge:
    """Return a gauge that gunicorn's workers report as the sum over those that live."""
    return Gauge(name, documentation, multiprocess_mode="livesum")


OPEN_SOCKETS = live_gauge("channels_sockets_open", "WebSockets that are open now.")
HANDSHAKES = Counter("channels_handshakes", f"Handshakes by their result: {', '.join(HANDSHAKE_RESULTS)}.", ["result"])
CLOSES = Counter("channels_closes", "Closed WebSockets, by the close code.", ["code"])
FRAMES_RECEIVED = Counter("channels_frames_received", "Messages received from clients.")
FRAMES_SENT = Counter("channels_frames_sent", "Messages sent by consumers of Channels; deliveries counts others.")
SLOW_READERS_CLOSED = Counter("channels_slow_readers_closed", "Sockets closed because their clients read too slowly.")
PENDING_BYTES = live_gauge("channels_waiting_bytes", "Bytes written to sockets whose clients have not taken them.")
LOOP_LAG_SECONDS = live_gauge(
    "channels_loop_lag_seconds", "The longest that the event loop made a callback wait in the last 10 s."
)
DRAINING = live_gauge("channels_draining", "1 while the server drains, before it ends.")

MESSAGES = Counter("channels_messages", "Messages stored.")
DELIVERIES = Counter("channels_deliveries", "Events delivered to sockets.")
DELIVERY_SECONDS = Histogram(
    "channels_delivery_seconds",
    "From storing a change to writing it to the last socket here, once for each flush.",
    buckets=LATENCY_BUCKETS_SECONDS,
)
GAPS_FILLED = Counter("channels_gaps_filled", "Times that a hub read the database because announcements were missing.")
ANNOUNCEMENTS_LOST = Counter("channels_announcements_lost", "Announcements that the channel layer did not take.")

REDIS_SECONDS = Histogram(
    "channels_redis_seconds", "One round trip to Redis, tried every second.", buckets=SHORT_LATENCY_BUCKETS_SECONDS
)
REDIS_FAILURES = Counter("channels_redis_failures", "Round trips to Redis that failed.")
DATABASE_SECONDS = Histogram(
    "channels_database_seconds", "One SQL statement, without the commit.", buckets=SHORT_LATENCY_BUCKETS_SECONDS
)
POOL_SIZE = live_gauge("channels_pool_threads", "Threads for the database, each with one connection.")
POOL_BUSY = live_gauge("channels_pool_busy", "Threads for the database that are working now.")
POOL_WAIT = Histogram(
    "channels_pool_wait_seconds",
    "How long a database call waited for a thread.",
    buckets=SHORT_LATENCY_BUCKETS_SECONDS,
)

# A rate needs a value before the first failure.
for result in HANDSHAKE_RESULTS:
    HANDSHAKES.labels(result)
DRAINING.set_function(shutdown.draining.is_set)
