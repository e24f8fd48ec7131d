"""Behind the handshake: the consumer, the database, the channel layer, a signed-in visitor."""

from typing import Any

from deploy.doctor.catalogue import Evidence, Hop, row
from deploy.doctor.causes.logs import logged
from deploy.doctor.seen import Seen

REDIS_LOG = r"redis\.exceptions\.\w+Error|Error \d+ connecting to .*(6379|redis|\.sock|127\.0\.0\.1:\d+)"
OLD_REDIS_LOG = r"unknown command.*BZPOPMIN"


def ready(seen: Seen) -> dict[str, Any]:
    """What /readyz says, part by part; empty where the site has none."""
    said = seen.ready.json if seen.ready else None
    return said if isinstance(said, dict) and "ready" in said else {}


def part(seen: Seen, name: str) -> str:
    """What stands in the way of a part; empty when it is well or unknown."""
    said = str(ready(seen).get(name, "ok"))
    return "" if said == "ok" else said


def failed(seen: Seen) -> str:
    """How the application fails behind a handshake that arrived; empty when it does not."""
    if seen.handshake and seen.handshake.status == 500:
        return f"the handshake is answered by {seen.handshake} from the application"
    if seen.hello and (seen.hello.kind == "ended" or (seen.hello.kind == "close" and seen.hello.code == 1011)):
        return f"after the handshake: {seen.hello}"
    return ""


def redis_trouble(seen: Seen) -> Evidence | None:
    """What speaks against Redis."""
    if said := part(seen, "redis_round_trip"):
        return Evidence(f"/readyz: {said}")
    if seen.inside and seen.inside.redis_error:
        return Evidence(f"PING to Redis: {seen.inside.redis_error}")
    return logged(seen, f"{REDIS_LOG}|{OLD_REDIS_LOG}") if failed(seen) else None


@row(
    11,
    Hop.CHANNELS,
    "asgi.py serves HTTP only: Django's own application was handed a WebSocket.",
    'application = ProtocolTypeRouter({"http": get_asgi_application(), "websocket": …}); daphne is given that.',
)
def asgi_serves_http_only(seen: Seen) -> Evidence | None:
    return logged(seen, "can only handle ASGI/HTTP") if failed(seen) else None


@row(
    10,
    Hop.CHANNELS,
    "No route leads to this path.",
    "Add it to the URLRouter, mind the slash at its end and no leading one; a last catch-all route answers in words.",
)
def no_route(seen: Seen) -> Evidence | str | None:
    if seen.hello and seen.hello.json.get("code") == 4400:
        return f"{seen.asked.ws_path}: {seen.hello.json.get('reason')}"
    return logged(seen, "No route found for path") if failed(seen) else None


@row(
    35,
    Hop.CHANNELS,
    "The database takes no more connections.",
    "Wrap queries of consumers in database_sync_to_async, CONN_MAX_AGE with a pool; raise max_connections last.",
)
def database_is_full(seen: Seen) -> Evidence | str | None:
    said = part(seen, "database") or (seen.inside.postgres if seen.inside else "")
    if "too many" in said or "remaining connection slots" in said:
        return said
    return logged(seen, "too many clients already|remaining connection slots") if failed(seen) else None


@row(
    0,
    Hop.CHANNELS,
    "The database does not answer.",
    "`systemctl status postgresql`; DATABASE_URL; compose: `docker compose logs db`.",
)
def database_is_away(seen: Seen) -> str | None:
    if said := part(seen, "database"):
        return f"/readyz: {said}"
    if seen.inside and seen.inside.postgres.startswith("no answer"):
        return f"PostgreSQL: {seen.inside.postgres}"
    away = seen.hello and seen.hello.json.get("code") == 1013
    return f"hello: {seen.hello}" if away else None


@row(
    0,
    Hop.CHANNELS,
    "The site is not ready: migrations are missing.",
    "`deploy/manage migrate`, or the release's own step (deploy/prepare).",
)
def migrations_are_missing(seen: Seen) -> str | None:
    said = part(seen, "migrations")
    return f"/readyz: {said}" if said else None


@row(
    7,
    Hop.CHANNELS,
    "The application fails as soon as a socket opens.",
    "Its log has the traceback: --host, and --log FILE where it is. `No route found` there: try another --ws-path.",
)
def application_fails(seen: Seen) -> str | None:
    return failed(seen) if failed(seen) and not redis_trouble(seen) else None


@row(
    32,
    Hop.CHANNELS,
    "A message of this size is larger than the server takes, and costs the socket.",
    "Send less, or raise the limit: daphne's is 1 MiB, Parley's 64 KiB (app/chat/limits.py).",
)
def frame_is_too_large(seen: Seen) -> str | None:
    told = seen.large
    if told is None or (told.kind != "ended" and 1009 not in (told.code, told.json.get("code"))):
        return None
    return f"{seen.asked.frame} bytes are answered by: {told}"


@row(
    0,
    Hop.CHANNELS,
    "The application hears hello, and fails at it.",
    "Its log has the traceback under the id that it names (--host, or --log FILE); `unavailable` is the database.",
)
def hello_fails(seen: Seen) -> str | None:
    if not seen.is_parley or seen.hello is None or redis_trouble(seen):
        return None
    return f"hello: {seen.hello}" if seen.hello.json.get("type") == "error" else None


@row(
    0,
    Hop.CHANNELS,
    "The socket opens, and nobody answers in it.",
    "The consumer waits for something: look at its database and at the load of its process.",
)
def nobody_says_hello(seen: Seen) -> str | None:
    if not seen.is_parley or seen.hello is None or redis_trouble(seen):
        return None
    return f"hello: {seen.hello}" if seen.hello.json.get("type") not in ("bye", "error") else None


@row(
    9,
    Hop.LAYER,
    "Redis is older than 5 and lacks the commands of the channel layer.",
    "Upgrade it: Redis 7, or Valkey.",
)
def redis_is_too_old(seen: Seen) -> Evidence | str | None:
    found = seen.inside.redis if seen.inside else {}
    if found and found.get("redis_version", "9").split(".")[0] < "5":
        return f"redis_version {found['redis_version']}"
    return logged(seen, OLD_REDIS_LOG) if failed(seen) else None


@row(
    7,
    Hop.LAYER,
    "Redis, the channel layer between processes, does not answer.",
    "`systemctl status redis-server`; REDIS_URL of both servers; until then /readyz must say 503.",
)
def redis_is_away(seen: Seen) -> Evidence | None:
    return redis_trouble(seen)


@row(
    0,
    Hop.CHAT,
    "The session of the sign-in is not accepted.",
    "Sign in again and give the new cookie in PARLEY_DOCTOR_COOKIE.",
)
def session_is_refused(seen: Seen) -> str | None:
    return f"hello, signed in: {seen.chat}" if seen.chat and seen.chat.json.get("type") != "welcome" else None


@row(
    0,
    Hop.CHAT,
    "The room does not open for this account.",
    "PARLEY_DOCTOR_ROOM names a room of which the account is a member.",
)
def room_is_closed(seen: Seen) -> str | None:
    joined = seen.joined
    return f"join {seen.asked.room}: {joined}" if joined and joined.json.get("type") != "joined" else None


@row(
    36,
    Hop.CHAT,
    "What one socket says does not reach the other: the channel layer drops it.",
    "Both servers must share REDIS_URL and the layer's prefix; a full channel (capacity 100) drops silently.",
)
def words_are_lost_between_sockets(seen: Seen) -> str | None:
    heard = seen.round_trip
    return f"typing did not arrive: {heard}" if heard and heard.json.get("type") != "ephemeral" else None
