"""Causes of the WebSocket handshake: headers that a proxy removes, and programs that do not answer it with 101."""

import re

from deploy.doctor.catalogue import Evidence, Hop, register_cause
from deploy.doctor.causes.upgrade_probe import find_limit_page
from deploy.doctor.host.logs import find_in_logs
from deploy.doctor.http_client import Reply
from deploy.doctor.http_probes import REDIRECT_STATUSES
from deploy.doctor.observations import Observations
from deploy.doctor.ws_probes import FOREIGN_ORIGIN

AZURE_HEADERS = ("arraffinity", "x-azure-ref", "x-ms-middleware-request-id")
# Waiting counts as slow from here on, and when it is so many times longer than the plain request.
SLOW_SECONDS, SLOW_FACTOR = 0.5, 3
OPENING = re.compile(r"new WebSocket\(([^;]{0,300})")
PATH_LITERAL = re.compile(r"""["'`}](/[^/"'`$\s][^"'`$\s]*)""")
SOCKET_IO_SCRIPT = re.compile(r"socket\.io(\.min)?\.js|\bio\(")


def handshake_reply(observations: Observations) -> Reply:
    """Return the answer to the handshake, which has been probed at this hop."""
    assert observations.handshake
    return observations.handshake.reply


def describe(observations: Observations) -> str:
    """Return the WebSocket path and the answer to the handshake."""
    return f"handshake at {observations.options.ws_path}: {handshake_reply(observations)}"


def is_refused(observations: Observations) -> bool:
    """Whether the answer is neither 101 nor the application's own: its failure, a 500, is judged at the next hop."""
    reply = handshake_reply(observations)
    return reply.status not in (101, 500) and not reply.is_application_refusal


def is_upgrade_lost(observations: Observations) -> bool:
    """Whether the handshake reached one of the stack's servers without its Upgrade header."""
    probe = observations.handshake_probe
    return probe is not None and probe.upgrade is None


@register_cause(
    28,
    Hop.WEBSOCKET,
    "Azure App Service removes the Upgrade header: its web sockets are switched off.",
    "Run `az webapp config set --web-sockets-enabled true`, or set Configuration, General settings, Web sockets to On.",
)
def app_service_without_web_sockets(observations: Observations) -> str | None:
    """Apply when the Upgrade header is lost and the answers have headers of Azure."""
    replies = (*observations.page_replies, handshake_reply(observations))
    headers = " ".join(f"{name}={value}" for reply in replies for name, value in reply.headers.items())
    if not is_upgrade_lost(observations) or not any(name in headers.lower() for name in AZURE_HEADERS):
        return None
    return f'{describe(observations)}, "upgrade": null; the answers have headers of Azure'


@register_cause(
    2,
    Hop.WEBSOCKET,
    "A proxy does not pass on the Upgrade header.",
    "Set `proxy_http_version 1.1; proxy_set_header Upgrade $http_upgrade; proxy_set_header Connection"
    " $connection_upgrade;` in the location of the WebSockets, with the map of nginx/http.conf.",
)
def upgrade_is_not_forwarded(observations: Observations) -> Evidence | None:
    """Apply when the Upgrade header is lost, or nginx's location does not set it and the handshake is refused."""
    nginx = observations.nginx
    location = nginx.ws_location if nginx else None
    is_unset = nginx is not None and location is not None and nginx.effective_header("Upgrade") is None
    is_lost = is_upgrade_lost(observations)
    if not is_lost and not (is_unset and handshake_reply(observations).status in (200, 400, 404, 426)):
        return None
    detail = ', "upgrade": null' if is_lost else "; no proxy_set_header Upgrade"
    return Evidence(describe(observations) + detail, location.where if location and is_unset else "")


@register_cause(
    3,
    Hop.WEBSOCKET,
    "A proxy does not pass on the Connection header.",
    'Set `proxy_set_header Connection $connection_upgrade;` with the map, and no `Connection ""` at /ws/.',
)
def connection_is_not_forwarded(observations: Observations) -> Evidence | None:
    """Apply when the server received Upgrade without Connection, or complains about the Connection header."""
    probe, reply = observations.handshake_probe, handshake_reply(observations)
    is_lost = probe is not None and probe.upgrade and "upgrade" not in str(probe.connection).lower()
    if not is_lost and not (reply.status == 400 and "connection" in reply.reason.lower()):
        return None
    nginx = observations.nginx
    directive = (nginx.effective_header("Connection") or nginx.ws_location) if nginx else None
    return Evidence(describe(observations), directive.where if directive else "")


@register_cause(
    38,
    Hop.WEBSOCKET,
    "The ASGI server does not support WebSockets: the complete handshake arrives and is answered as a page.",
    "Run `pip install 'uvicorn[standard]'` (or install websockets), and remove `--ws none`.",
)
def server_without_websockets(observations: Observations) -> Evidence | str | None:
    """Apply when an ASGI server answers a complete handshake with 426, or logs that it has no WebSocket library."""
    probe = observations.handshake_probe
    if probe and probe.hop == "asgi" and probe.upgrade:
        return f'{describe(observations)}, "upgrade": "{probe.upgrade}", "connection": "{probe.connection}"'
    if not is_refused(observations):
        return None
    return find_in_logs(observations, "Unsupported upgrade request|No supported WebSocket library")


@register_cause(
    1,
    Hop.WEBSOCKET,
    "The handshake goes to gunicorn, which does not support WebSockets.",
    "Let /ws/ lead to daphne whatever headers a request has.",
)
def handshake_goes_to_gunicorn(observations: Observations) -> str | None:
    """Apply when the WSGI server answers the handshake."""
    probe = observations.handshake_probe
    return f'{describe(observations)}, "hop": "wsgi"' if probe and probe.hop == "wsgi" else None


@register_cause(
    22,
    Hop.WEBSOCKET,
    "The handshake is redirected, and browsers do not follow a redirect when they open a WebSocket.",
    "Exempt /ws/ from the redirect (https, www, missing slash), or use the address to which it leads.",
)
def handshake_is_redirected(observations: Observations) -> str | None:
    """Apply when the handshake is answered by a redirect."""
    reply = handshake_reply(observations)
    if reply.status not in REDIRECT_STATUSES:
        return None
    return f"{describe(observations)} to {reply.headers.get('location')}"


@register_cause(
    5,
    Hop.WEBSOCKET,
    "The application refuses the site's own Origin.",
    "Add the name to ALLOWED_HOSTS or ALLOWED_ORIGINS, and let nginx pass on Host as the browser sent it. The log has"
    " the Origin (`Socket refused: …`).",
)
def origin_is_refused(observations: Observations) -> Evidence | str | None:
    """Apply when the handshake is answered by 403, and not because the application refuses this visitor."""
    reply = handshake_reply(observations)
    if reply.status != 403 or reply.is_application_refusal:
        return None
    evidence = f"{describe(observations)} to Origin {observations.options.origin or observations.origin}"
    logged = find_in_logs(observations, "Socket refused")
    return Evidence(f"{evidence}; {logged.text}", logged.where) if logged else evidence


@register_cause(
    0,
    Hop.WEBSOCKET,
    "The handshake reaches the application, which refuses this visitor: it may want a sign-in.",
    "To examine the WebSocket itself, give the doctor the cookie of a session: `cookie` in [doctor] of stack.toml, or"
    " `--cookie` in DOCTOR_OPTIONS.",
    is_warning=True,
)
def visitor_is_refused(observations: Observations) -> str | None:
    """Apply when the project itself closes the WebSocket before it accepts it."""
    if not handshake_reply(observations).is_application_refusal:
        return None
    return f"{describe(observations)}, {'with' if observations.options.handshake_cookie else 'without'} a cookie"


@register_cause(
    5,
    Hop.WEBSOCKET,
    "Pages of any other site may open WebSockets in the name of a visitor.",
    "Check Origin with channels_realtime.origins.OriginGuard, or with AllowedHostsOriginValidator in Channels.",
    is_warning=True,
)
def any_origin_is_welcome(observations: Observations) -> str | None:
    """Apply when the handshake with a foreign Origin succeeds."""
    reply = observations.foreign_origin_reply
    return f"Origin {FOREIGN_ORIGIN} is answered by 101" if reply and reply.status == 101 else None


@register_cause(
    34,
    Hop.WEBSOCKET,
    "nginx limits the handshakes and answers 503, as if the server were broken.",
    "Set `limit_req_status 429; limit_conn_status 429;` and a burst for an office whose browsers reconnect at once.",
)
def handshake_limit_says_503(observations: Observations) -> str | None:
    """Apply when nginx itself answers 503 to the handshake."""
    return find_limit_page(observations, handshake_reply(observations))


@register_cause(
    6,
    Hop.WEBSOCKET,
    "The application waits before it accepts: for a Redis whose packets are dropped, or for a slow database.",
    "Accept first, and give Redis a socket_connect_timeout and socket_timeout of 2 s.",
)
def slow_before_accept(observations: Observations) -> str | None:
    """Apply when the handshake gets no answer and took much longer than the plain request of the same path."""
    plain, reply = observations.upgrade_probe_reply, handshake_reply(observations)
    is_unanswered = reply.error in ("timeout", "ended") or reply.status in (502, 504)
    if plain is None or plain.error or not is_unanswered:
        return None
    if reply.seconds < max(SLOW_SECONDS, SLOW_FACTOR * plain.seconds):
        return None
    return f"{describe(observations)} after {reply.seconds:.1f} s; plain HTTP there answers in {plain.seconds:.2f} s"


@register_cause(
    0,
    Hop.WEBSOCKET,
    "The site speaks Socket.IO, and the path lacks the query that it needs.",
    "Use the path of its clients: --ws-path '/socket.io/?EIO=4&transport=websocket' (its `path` option may differ).",
)
def socket_io_is_asked_wrongly(observations: Observations) -> str | None:
    """Apply when the handshake and the plain request are answered by an error of Engine.IO."""
    plain, reply = observations.upgrade_probe_reply, handshake_reply(observations)
    content = plain.json if plain and plain.status == reply.status == 400 else None
    if not isinstance(content, dict) or not {"code", "message"} <= content.keys():
        return None
    return f"{describe(observations)}; its message: {content['message']}"


@register_cause(
    10,
    Hop.WEBSOCKET,
    "The page opens its WebSockets at another path than the doctor.",
    "Use --ws-path PATH with the whole path that the page's script builds.",
)
def page_opens_another_path(observations: Observations) -> Evidence | None:
    """Apply when the site is not the chat, the handshake fails and a script opens another path."""
    reply = handshake_reply(observations)
    if reply.status == 101 or reply.is_application_refusal or observations.upgrade_probe:
        return None
    opened = {path: file for file, text in observations.scripts.items() for path in find_opened_paths(text)}
    if not opened or any(observations.options.ws_path.startswith(path) for path in opened):
        return None
    path, file = next(iter(opened.items()))
    return Evidence(f"{describe(observations)}; the script opens {path}…", file)


def find_opened_paths(script: str) -> list[str]:
    """Return the beginnings of the paths at which a script opens WebSockets."""
    paths = [path for opening in OPENING.findall(script) for path in PATH_LITERAL.findall(opening)]
    return [*paths, *(["/socket.io/"] if SOCKET_IO_SCRIPT.search(script) else [])]


@register_cause(
    2,
    Hop.WEBSOCKET,
    "The handshake is answered like a request for a page: the Upgrade header is lost, or it is the wrong server.",
    "Set both headers (Upgrade, Connection) and a proxy_pass to the ASGI server in nginx's location of the WebSockets."
    " A wrong path has the same effect: try --ws-path.",
)
def answered_as_a_page(observations: Observations) -> str | None:
    """Apply when the handshake is answered by 200, 404, 405 or 426."""
    return describe(observations) if handshake_reply(observations).status in (200, 404, 405, 426) else None


@register_cause(
    0,
    Hop.WEBSOCKET,
    "A program between here and the server answers the handshake with a 101 of its own.",
    "Let the cache or proxy pass WebSockets through, or use wss on port 443.",
)
def made_up_101(observations: Observations) -> str | None:
    """Apply when the 101 does not answer the key of the handshake."""
    handshake = observations.handshake
    if handshake is None or handshake.reply.status != 101 or handshake.is_key_answered:
        return None
    return "Sec-WebSocket-Accept does not answer the key of the handshake"


@register_cause(
    0,
    Hop.WEBSOCKET,
    "The application accepts the WebSocket without the subprotocol that was offered, so a browser closes it.",
    "Accept with it: `await self.accept(subprotocol=...)`, or correct `subprotocol` in [doctor] of stack.toml.",
)
def subprotocol_is_not_chosen(observations: Observations) -> str | None:
    """Apply when the operator named a subprotocol and the 101 names none, or another (RFC 6455, section 4.1)."""
    handshake, offered = observations.handshake, observations.options.subprotocol
    if not offered or handshake is None or handshake.reply.status != 101 or handshake.subprotocol == offered:
        return None
    return f"{offered} was offered, and the 101 names {handshake.subprotocol or 'none'}"


@register_cause(
    0,
    Hop.WEBSOCKET,
    "The handshake is refused.",
    "Run the doctor with --host on the site's host. The status and the reason phrase show which program answered.",
)
def handshake_is_refused(observations: Observations) -> str | None:
    """Apply to every other refusal."""
    return describe(observations) if is_refused(observations) else None


@register_cause(
    30,
    Hop.WEBSOCKET,
    "daphne may open few files, and it needs one for each WebSocket.",
    "Set LimitNOFILE=20000 in its unit; compose: ulimits.nofile.",
    is_warning=True,
)
def few_descriptors(observations: Observations) -> str | None:
    """Apply when a server's limit is below 1024 open files, or 90% of it is used."""
    for process in observations.processes:
        if process.max_open_files < 1024 or process.open_files > 0.9 * process.max_open_files:
            return f"process {process.pid}: {process.open_files} of {process.max_open_files} files are open"
    return None
