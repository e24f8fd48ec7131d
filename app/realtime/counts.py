"""What this process has seen, for /metrics."""

from prometheus_client import Counter, Gauge

SOCKETS = Gauge("parley_sockets_open", "WebSockets that are open now.")
HANDSHAKES = Counter(
    "parley_handshakes",
    "Handshakes by their result: accepted, refused, failed, or leaving: told to ask another server.",
    ["result"],
)
CLOSES = Counter("parley_closes", "Closed WebSockets, by the close code.", ["code"])
WAITING = Gauge("parley_waiting_bytes", "Bytes written to sockets whose readers have not taken them.")
LAG = Gauge("parley_loop_lag_seconds", "The longest that the event loop kept anything waiting in the last 10 s.")
DELIVERIES = Counter("parley_deliveries", "Events handed to sockets.")
GAPS = Counter("parley_gaps_filled", "Times that a hub read the database because announcements were missing.")
LOST = Counter("parley_announcements_lost", "Announcements that the channel layer did not take.")
