"""A socket that is open and has nothing to say; and how it ends."""

from deploy.doctor.catalogue import Evidence, Hop, row
from deploy.doctor.seen import Seen

DAY = 86400  # seconds; daphne's default
NONE_SET = "no proxy_read_timeout: it is 60 s"
UNITS = {"ms": 0.001, "s": 1, "m": 60, "h": 3600, "d": 86400}


@row(
    8,
    Hop.HOLD,
    "The application closes idle sockets itself with 1011: the channel layer's read from Redis times out.",
    '"hosts": [{"address": …, "socket_timeout": None}] in CHANNEL_LAYERS: redis-py 8 has 5 s by default.',
)
def layer_read_times_out(seen: Seen) -> str | None:
    held = seen.hold
    if held is None or held.kind != "close" or held.code != 1011:
        return None
    redis = seen.inside.versions.get("redis") if seen.inside else None
    return f"close 1011 after {held.seconds:.1f} s of silence" + (f"; redis-py {redis}" if redis else "")


@row(
    31,
    Hop.HOLD,
    "The server closes the socket in its own time.",
    "daphne: `--websocket_timeout -1`; and a client that comes back by itself.",
)
def server_closes_by_the_clock(seen: Seen) -> str | None:
    held = seen.hold
    return f"{held} after {held.seconds:.1f} s of silence" if held and held.kind == "close" else None


@row(
    26,
    Hop.HOLD,
    "A proxy cuts the idle socket (browsers see 1006): its read timeout is shorter than the pause between two pings.",
    "`proxy_read_timeout 1h; proxy_send_timeout 1h;` at /ws/, and pings more often than every 60 s.",
)
def proxy_cuts_idle_sockets(seen: Seen) -> Evidence | None:
    held = seen.hold
    if held is None or held.kind != "ended":
        return None
    nginx = seen.inside.nginx if seen.inside else None
    timeout = nginx.effective("proxy_read_timeout") if nginx else []
    shown = f"ended without a close frame after {held.seconds:.1f} s of silence"
    if timeout:
        return Evidence(f"{shown}; proxy_read_timeout {timeout[0].args[0]}", timeout[0].where)
    return Evidence(shown)


@row(
    27,
    Hop.HOLD,
    "Something on the way has forgotten the idle connection without a word (Azure's load balancer does after 4 min).",
    "Pings more often than every 60 s; at Azure also `--enable-tcp-reset true` on the rule.",
)
def idle_line_is_dead(seen: Seen) -> str | None:
    if seen.pong is None or seen.pong.kind == "pong" or seen.hold is None:
        return None
    return f"after {seen.hold.seconds:.0f} s of silence a ping is answered by: {seen.pong}"


@row(
    26,
    Hop.HOLD,
    "nginx cuts sockets that are silent for a minute or less.",
    "`proxy_read_timeout 1h;` in the sockets' location.",
    warning=True,
)
def short_read_timeout(seen: Seen) -> Evidence | None:
    nginx = seen.inside.nginx if seen.inside else None
    location = nginx.socket_location if nginx else None
    if nginx is None or location is None:
        return None
    found = nginx.effective("proxy_read_timeout")
    text = found[0].args[0] if found else "60s"
    number = text.rstrip("smhd")
    seconds = int(number) * UNITS.get(text[len(number) :] or "s", 1) if number.isdigit() else DAY
    pings = seen.engine_io.get("pingInterval", DAY * 1000) / 1000  # of other servers we do not know
    if seconds > min(60, pings) or (seen.hold and seen.hold.seconds > seconds):
        return None
    return Evidence(f"proxy_read_timeout {text}", found[0].where) if found else Evidence(NONE_SET, location.where)


@row(
    31,
    Hop.HOLD,
    "daphne closes every socket after 24 hours.",
    "`--websocket_timeout -1` in its command line.",
    warning=True,
)
def daphne_ends_sockets_daily(seen: Seen) -> str | None:
    for process in seen.inside.processes.values() if seen.inside else ():
        if "daphne" in process.command and "--websocket_timeout" not in process.command:
            return f"process {process.pid}: daphne without --websocket_timeout; its default is {DAY} s"
    return None


@row(
    0,
    Hop.CLOSE,
    "The server does not say goodbye: a close frame is not answered by one.",
    "Behind a load balancer or an old server this costs a reconnect some seconds, no more; look at its log.",
)
def close_is_not_answered(seen: Seen) -> str | None:
    ended = seen.close
    return f"close 1000 is answered by: {ended}" if ended and ended.kind != "close" else None
