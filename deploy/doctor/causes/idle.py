"""Causes that end an idle WebSocket, and how a WebSocket closes."""

from deploy.doctor.catalogue import Evidence, Hop, register_cause
from deploy.doctor.observations import Observations

SECONDS_BY_UNIT = {"ms": 0.001, "s": 1, "m": 60, "h": 3600, "d": 86400}  # nginx, "Configuration file measurement units"
NGINX_READ_TIMEOUT = "60s"  # the default of proxy_read_timeout
SHORT_TIMEOUT_SECONDS = 60
DAPHNE_WEBSOCKET_TIMEOUT_SECONDS = 86400  # the default of --websocket_timeout
INTERNAL_ERROR = 1011  # RFC 6455, section 7.4.1


@register_cause(
    8,
    Hop.HOLD,
    "The application closes idle WebSockets with 1011: the channel layer's read from Redis times out.",
    'Set `"hosts": [{"address": …, "socket_timeout": None}]` in CHANNEL_LAYERS: the default of redis-py 8 is 5 s.',
)
def layer_read_times_out(observations: Observations) -> str | None:
    """Apply when the server closes the silent WebSocket with 1011."""
    idle = observations.idle_result
    if idle is None or idle.kind != "close" or idle.code != INTERNAL_ERROR:
        return None
    version = observations.host.versions.get("redis") if observations.host else None
    return f"close {INTERNAL_ERROR} after {idle.seconds:.1f} s of silence" + (
        f"; redis-py {version}" if version else ""
    )


@register_cause(
    31,
    Hop.HOLD,
    "The server closes the WebSocket after a fixed time.",
    "Start daphne with `--websocket_timeout -1`, and let the client reconnect automatically.",
)
def server_closes_by_the_clock(observations: Observations) -> str | None:
    """Apply when the server closes the silent WebSocket with another code."""
    idle = observations.idle_result
    return f"{idle} after {idle.seconds:.1f} s of silence" if idle and idle.kind == "close" else None


@register_cause(
    26,
    Hop.HOLD,
    "A proxy closes the idle WebSocket (browsers see 1006): its read timeout is shorter than the time between pings.",
    "Set `proxy_read_timeout 1h; proxy_send_timeout 1h;` at /ws/, and send a ping at least every 60 s.",
)
def proxy_cuts_idle_sockets(observations: Observations) -> Evidence | None:
    """Apply when the silent WebSocket ends without a close frame."""
    idle = observations.idle_result
    if idle is None or idle.kind != "ended":
        return None
    nginx = observations.nginx
    timeout = nginx.effective("proxy_read_timeout") if nginx else []
    evidence = f"ended without a close frame after {idle.seconds:.1f} s of silence"
    if timeout:
        return Evidence(f"{evidence}; proxy_read_timeout {timeout[0].args[0]}", timeout[0].where)
    return Evidence(evidence)


@register_cause(
    27,
    Hop.HOLD,
    "A network device drops the idle connection and tells neither side. Azure's load balancer does it after 4 min.",
    "Send a ping at least every 60 s. On Azure also set `--enable-tcp-reset true` on the rule.",
)
def idle_line_is_dead(observations: Observations) -> str | None:
    """Apply when the ping after the silence is not answered."""
    pong, idle = observations.ping_reply, observations.idle_result
    if pong is None or pong.kind == "pong" or idle is None:
        return None
    return f"after {idle.seconds:.0f} s of silence a ping is answered by: {pong}"


@register_cause(
    26,
    Hop.HOLD,
    "nginx closes WebSockets that are silent for a minute or less.",
    "Set `proxy_read_timeout 1h;` in the location of the WebSockets.",
    is_warning=True,
)
def short_read_timeout(observations: Observations) -> Evidence | None:
    """Apply when proxy_read_timeout is 60 s or less, and not above the server's own ping interval where it is known.

    A silence that lasted longer than the timeout disproves it.
    """
    nginx = observations.nginx
    location = nginx.ws_location if nginx else None
    if nginx is None or location is None:
        return None
    directives = nginx.effective("proxy_read_timeout")
    timeout_seconds = parse_nginx_time(directives[0].args[0] if directives else NGINX_READ_TIMEOUT)
    idle, engine_io = observations.idle_result, observations.engine_io
    limit_seconds: float = SHORT_TIMEOUT_SECONDS
    if engine_io and engine_io.ping_interval_seconds:
        limit_seconds = min(limit_seconds, engine_io.ping_interval_seconds)
    if timeout_seconds is None or timeout_seconds > limit_seconds or (idle and idle.seconds > timeout_seconds):
        return None
    if directives:
        return Evidence(f"proxy_read_timeout {directives[0].args[0]}", directives[0].where)
    return Evidence(f"no proxy_read_timeout: it is {NGINX_READ_TIMEOUT}", location.where)


def parse_nginx_time(text: str) -> float | None:
    """Return the seconds of a time with one unit in nginx's notation, such as 60s; None for any other text."""
    number = text.rstrip("smhd")
    return int(number) * SECONDS_BY_UNIT.get(text[len(number) :] or "s", 1) if number.isdigit() else None


@register_cause(
    31,
    Hop.HOLD,
    "daphne closes every WebSocket after 24 hours.",
    "Start it with `--websocket_timeout -1`.",
    is_warning=True,
)
def daphne_ends_sockets_daily(observations: Observations) -> str | None:
    """Apply when daphne runs without --websocket_timeout."""
    default = f"its default is {DAPHNE_WEBSOCKET_TIMEOUT_SECONDS} s"
    for process in observations.processes:
        if "daphne" in process.command and "--websocket_timeout" not in process.command:
            return f"process {process.pid}: daphne without --websocket_timeout; {default}"
    return None


@register_cause(
    0,
    Hop.CLOSE,
    "The server does not answer a close frame with one.",
    "Check the server's log. Behind a load balancer or an old server a reconnect then takes some seconds longer.",
)
def close_is_not_answered(observations: Observations) -> str | None:
    """Apply when anything but a close frame answers ours."""
    received = observations.close_reply
    return f"close 1000 is answered by: {received}" if received and received.kind != "close" else None
