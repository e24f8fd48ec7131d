"""Causes behind the handshake: the consumer, the database, the channel layer, a signed-in user."""

from deploy.doctor.catalogue import Evidence, Hop, register_cause
from deploy.doctor.host.logs import find_in_logs
from deploy.doctor.observations import Observations

REDIS_LOG = r"redis\.exceptions\.\w+Error|Error \d+ connecting to .*(6379|redis|\.sock|127\.0\.0\.1:\d+)"
OLD_REDIS_LOG = r"unknown command.*BZPOPMIN"
OLDEST_REDIS = 5  # the first major version with BZPOPMIN
DATABASE_IS_FULL = ("too many", "remaining connection slots")  # parts of PostgreSQL's error

# Close codes: RFC 6455, section 7.4.1; 4400 is of the chat's protocol.
MESSAGE_TOO_BIG, INTERNAL_ERROR, TRY_AGAIN_LATER, MALFORMED = 1009, 1011, 1013, 4400


def describe_failure(observations: Observations) -> str:
    """Return how the application fails after a handshake that arrived; empty when it does not fail."""
    if observations.handshake and observations.handshake.reply.status == 500:
        return f"the application answers the handshake with {observations.handshake.reply}"
    received = observations.hello_reply
    if received and (received.kind == "ended" or (received.kind == "close" and received.code == INTERNAL_ERROR)):
        return f"after the handshake: {received}"
    return ""


def find_in_failure_logs(observations: Observations, pattern: str) -> Evidence | None:
    """Return the newest line of the logs that matches, if the application fails."""
    return find_in_logs(observations, pattern) if describe_failure(observations) else None


def find_redis_trouble(observations: Observations) -> Evidence | None:
    """Return the evidence that Redis does not work, or None."""
    if reason := observations.explain_unready("redis_round_trip"):
        return Evidence(f"/readyz: {reason}")
    if observations.host and observations.host.redis_error:
        return Evidence(f"PING to Redis: {observations.host.redis_error}")
    return find_in_failure_logs(observations, f"{REDIS_LOG}|{OLD_REDIS_LOG}")


def find_layer_trouble(observations: Observations) -> Evidence | None:
    """Return the evidence that the channel layer does not carry messages, or that its Redis does not work; or None."""
    if trouble := find_redis_trouble(observations):
        return trouble
    reason = observations.explain_unready("channel_layer")
    return Evidence(f"/readyz: {reason}") if reason else None


@register_cause(
    11,
    Hop.CHANNELS,
    "asgi.py serves HTTP only: Django's own application received a WebSocket.",
    'Serve `ProtocolTypeRouter({"http": get_asgi_application(), "websocket": …})` as the application.',
)
def asgi_serves_http_only(observations: Observations) -> Evidence | None:
    """Apply when a log has Django's error about a connection that is not HTTP."""
    return find_in_failure_logs(observations, "can only handle ASGI/HTTP")


@register_cause(
    10,
    Hop.CHANNELS,
    "The application has no route for this path.",
    "Add it to the URLRouter, with the slash at its end and none at its beginning. A catch-all route at the end can"
    " answer with an error text.",
)
def no_route(observations: Observations) -> Evidence | str | None:
    """Apply when the chat says so, or a log has Channels' error."""
    received = observations.hello_reply
    if received and received.json.get("code") == MALFORMED:
        return f"{observations.options.ws_path}: {received.json.get('reason')}"
    return find_in_failure_logs(observations, "No route found for path")


@register_cause(
    35,
    Hop.CHANNELS,
    "The database accepts no more connections.",
    "Wrap queries of consumers in database_sync_to_async, use CONN_MAX_AGE with a pool; raise max_connections last.",
)
def database_is_full(observations: Observations) -> Evidence | str | None:
    """Apply when /readyz, PostgreSQL or a log says so."""
    reason = observations.explain_unready("database") or (observations.host.postgres if observations.host else "")
    if any(text in reason for text in DATABASE_IS_FULL):
        return reason
    return find_in_failure_logs(observations, "too many clients already|remaining connection slots")


@register_cause(
    0,
    Hop.CHANNELS,
    "The database does not answer.",
    "Start PostgreSQL (`systemctl status postgresql`, `docker compose logs postgres`), or correct DATABASE_URL; with"
    ' `database = "own"` in stack.toml, DATABASES of the project.',
)
def database_is_away(observations: Observations) -> str | None:
    """Apply when /readyz, PostgreSQL or the answer to hello says so."""
    if reason := observations.explain_unready("database"):
        return f"/readyz: {reason}"
    if observations.host and observations.host.postgres.startswith("no answer"):
        return f"PostgreSQL: {observations.host.postgres}"
    received = observations.hello_reply
    return f"hello: {received}" if received and received.json.get("code") == TRY_AGAIN_LATER else None


@register_cause(
    0,
    Hop.CHANNELS,
    "The site is not ready: migrations are missing.",
    "Run `deploy/manage migrate`, or deploy the release again: it migrates before it starts.",
)
def migrations_are_missing(observations: Observations) -> str | None:
    """Apply when /readyz says so."""
    reason = observations.explain_unready("migrations")
    return f"/readyz: {reason}" if reason else None


@register_cause(
    7,
    Hop.CHANNELS,
    "The application fails as soon as a WebSocket opens.",
    "Read the traceback in its log (--host, or --log FILE). If the log has `No route found`, try another --ws-path.",
)
def application_fails(observations: Observations) -> str | None:
    """Apply to every other failure for which the channel layer is not to blame."""
    failure = describe_failure(observations)
    return failure if failure and not find_layer_trouble(observations) else None


@register_cause(
    32,
    Hop.CHANNELS,
    "A message of this size is larger than the server accepts, and it closes the WebSocket.",
    "Send less, or raise the limit: 1 MiB in daphne, 64 KiB in the chat (app/chat/limits.py).",
)
def frame_is_too_large(observations: Observations) -> str | None:
    """Apply when the large frame is answered by an end, or by close code 1009."""
    received = observations.large_frame_reply
    if received is None:
        return None
    if received.kind != "ended" and MESSAGE_TOO_BIG not in (received.code, received.json.get("code")):
        return None
    return f"{observations.options.frame_bytes} bytes are answered by: {received}"


@register_cause(
    0,
    Hop.CHANNELS,
    "The application receives hello and fails to handle it.",
    "Search its log for the id in the answer (--host, or --log FILE); `unavailable` means the database.",
)
def hello_fails(observations: Observations) -> str | None:
    """Apply when the chat answers hello with an error for which Redis is not to blame."""
    received = observations.hello_reply
    if not observations.is_chat or received is None or find_redis_trouble(observations):
        return None
    return f"hello: {received}" if received.message_type == "error" else None


@register_cause(
    0,
    Hop.CHANNELS,
    "The WebSocket opens, and hello is not answered.",
    "Check its database and the load of its process: the consumer waits for something.",
    former_name="nobody-says-hello",
)
def hello_is_not_answered(observations: Observations) -> str | None:
    """Apply when the chat answers hello with neither bye nor error, and Redis is not to blame."""
    received = observations.hello_reply
    if not observations.is_chat or received is None or find_redis_trouble(observations):
        return None
    return f"hello: {received}" if received.message_type not in ("bye", "error") else None


@register_cause(
    9,
    Hop.LAYER,
    "Redis is older than version 5 and lacks commands of the channel layer.",
    "Upgrade to Redis 7 or Valkey.",
)
def redis_is_too_old(observations: Observations) -> Evidence | str | None:
    """Apply when Redis says its version, or a log has the error about the missing command."""
    info = observations.host.redis_info if observations.host else {}
    major_version = info.get("redis_version", "").split(".")[0]
    if major_version.isdigit() and int(major_version) < OLDEST_REDIS:
        return f"redis_version {info['redis_version']}"
    return find_in_failure_logs(observations, OLD_REDIS_LOG)


@register_cause(
    7,
    Hop.LAYER,
    "Redis, the channel layer between the processes, does not answer.",
    "Start Redis (`systemctl status redis-server`), or correct REDIS_URL of both servers.",
)
def redis_is_away(observations: Observations) -> Evidence | None:
    """Apply to every other error of Redis."""
    return find_redis_trouble(observations)


@register_cause(
    0,
    Hop.LAYER,
    "The channel layer carries no message, although the Redis of the site answers.",
    "Read the error: a full Redis (maxmemory), an account that may not use its commands, or a layer of the project's"
    " own settings with another address (CHANNEL_LAYERS, which stays as it is where stack.toml names `env.redis`).",
)
def channel_layer_fails(observations: Observations) -> Evidence | None:
    """Apply when /readyz of a project names its channel layer, and Redis is not to blame."""
    return None if find_redis_trouble(observations) else find_layer_trouble(observations)


@register_cause(
    0,
    Hop.CHAT,
    "The site does not accept the session of the sign-in.",
    "Sign in again, and set DOCTOR_COOKIE to the new cookie.",
)
def session_is_refused(observations: Observations) -> str | None:
    """Apply when hello with the session is not answered by welcome."""
    received = observations.chat_hello_reply
    return f"hello, signed in: {received}" if received and received.message_type != "welcome" else None


@register_cause(
    0,
    Hop.CHAT,
    "The account cannot join the room.",
    "Set DOCTOR_ROOM to a room of which the account is a member.",
)
def room_is_closed(observations: Observations) -> str | None:
    """Apply when join is not answered by joined."""
    received, room = observations.join_reply, observations.options.room
    return f"join {room}: {received}" if received and received.message_type != "joined" else None


@register_cause(
    36,
    Hop.CHAT,
    "An event of one WebSocket does not reach another one: the channel layer drops it.",
    "Give both servers the same REDIS_URL and prefix of the layer. A full channel (capacity 100) drops silently.",
    former_name="words-are-lost-between-sockets",
)
def events_are_lost_between_sockets(observations: Observations) -> str | None:
    """Apply when the second WebSocket does not receive that the first one types."""
    received = observations.typing_event
    return f"typing did not arrive: {received}" if received and received.message_type != "ephemeral" else None
