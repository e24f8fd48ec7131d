"""What this process has seen, for /metrics. deploy/metrics.md says what each is for."""

from prometheus_client import Counter, Gauge, Histogram, disable_created_metrics

from realtime import shutdown

disable_created_metrics()  # type: ignore[no-untyped-call]  # a second series for each, of no use to anybody here

RESULTS = ("accepted", "refused", "failed", "leaving")  # leaving: told to ask another server
LATE = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)  # seconds
QUICK = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5)


def gauge(name: str, what: str) -> Gauge:
    """One that gunicorn's workers, of whom only the living count, show as their sum."""
    return Gauge(name, what, multiprocess_mode="livesum")


SOCKETS = gauge("parley_sockets_open", "WebSockets that are open now.")
HANDSHAKES = Counter("parley_handshakes", f"Handshakes by their result: {', '.join(RESULTS)}.", ["result"])
CLOSES = Counter("parley_closes", "Closed WebSockets, by the close code.", ["code"])
SLOW = Counter("parley_slow_readers_closed", "Sockets closed because their readers left too much waiting.")
WAITING = gauge("parley_waiting_bytes", "Bytes written to sockets whose readers have not taken them.")
LAG = gauge("parley_loop_lag_seconds", "The longest that the event loop kept anything waiting in the last 10 s.")
DRAINING = gauge("parley_draining", "1 while the server sends its sockets away, before it ends.")

MESSAGES = Counter("parley_messages", "Messages stored.")
DELIVERIES = Counter("parley_deliveries", "Events handed to sockets.")
DELIVERY = Histogram(
    "parley_delivery_seconds", "From storing a change to its last socket here: one for each round.", buckets=LATE
)
GAPS = Counter("parley_gaps_filled", "Times that a hub read the database because announcements were missing.")
LOST = Counter("parley_announcements_lost", "Announcements that the channel layer did not take.")

REDIS = Histogram("parley_redis_seconds", "One round trip to Redis, tried every second.", buckets=QUICK)
REDIS_FAILED = Counter("parley_redis_failures", "Round trips to Redis that failed.")
DATABASE = Histogram("parley_database_seconds", "One SQL statement, without the commit.", buckets=QUICK)
POOL_SIZE = gauge("parley_pool_threads", "Threads for the database, each with one connection.")
POOL_BUSY = gauge("parley_pool_busy", "Those of them at work now.")
POOL_WAIT = Histogram("parley_pool_wait_seconds", "How long work for the database waited for a thread.", buckets=QUICK)

# A rate needs a value before the first failure.
for result in RESULTS:
    HANDSHAKES.labels(result)
DRAINING.set_function(shutdown.draining.is_set)
