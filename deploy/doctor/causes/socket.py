"""The handshake itself: what a browser sends, and who answers it with something else than 101."""

import re

from deploy.doctor.catalogue import Evidence, Hop, row
from deploy.doctor.causes.logs import logged
from deploy.doctor.causes.upstream import first_limit
from deploy.doctor.seen import Seen, probe
from deploy.doctor.wire import Reply

AZURE = ("arraffinity", "x-azure-ref", "x-ms-middleware-request-id")
SLOW = 0.8  # of our patience, or of a server's own: nobody refuses by waiting


def reply(seen: Seen) -> Reply:
    assert seen.handshake
    return seen.handshake


def told(seen: Seen) -> str:
    return f"handshake at {seen.asked.ws_path}: {reply(seen)}"


def upgrade_lost(seen: Seen) -> bool:
    said = probe(seen.handshake)
    return bool(said) and said.get("upgrade") is None


@row(
    28,
    Hop.WEBSOCKET,
    "Azure App Service takes the Upgrade away: web sockets are switched off there.",
    "`az webapp config set --web-sockets-enabled true`, or Configuration, General settings, Web sockets: On.",
)
def app_service_without_web_sockets(seen: Seen) -> str | None:
    marks = " ".join(f"{name}={value}" for one in (*seen.pages, reply(seen)) for name, value in one.headers.items())
    if not upgrade_lost(seen) or not any(mark in marks.lower() for mark in AZURE):
        return None
    return f'{told(seen)}, "upgrade": null; the answers carry Azure\'s marks'


@row(
    2,
    Hop.WEBSOCKET,
    "A proxy on the way does not pass on the Upgrade header.",
    "`proxy_http_version 1.1; proxy_set_header Upgrade $http_upgrade; proxy_set_header Connection $connection_upgrade;`"
    " in the sockets' location, with the map of nginx/nginx.conf.",
)
def upgrade_is_not_forwarded(seen: Seen) -> Evidence | None:
    nginx = seen.inside.nginx if seen.inside else None
    location = nginx.socket_location if nginx else None
    lacks = nginx is not None and location is not None and nginx.header("Upgrade") is None
    if not (upgrade_lost(seen) or (lacks and reply(seen).status in (200, 400, 404, 426))):
        return None
    shown = f'{told(seen)}, "upgrade": null' if upgrade_lost(seen) else f"{told(seen)}; no proxy_set_header Upgrade"
    return Evidence(shown, location.where if location and lacks else "")


@row(
    3,
    Hop.WEBSOCKET,
    "The Connection header is missing: the upgrade arrives without it.",
    '`proxy_set_header Connection $connection_upgrade;` with the map; no `Connection ""` of a keepalive at /ws/.',
)
def connection_is_not_forwarded(seen: Seen) -> Evidence | None:
    said = probe(seen.handshake)
    lost = said.get("upgrade") and "upgrade" not in str(said.get("connection")).lower()
    if not lost and not (reply(seen).status == 400 and "connection" in reply(seen).reason.lower()):
        return None
    nginx = seen.inside.nginx if seen.inside else None
    header = nginx.header("Connection") if nginx else None
    location = nginx.socket_location if nginx else None
    where = header or location
    return Evidence(told(seen), where.where if where else "")


@row(
    38,
    Hop.WEBSOCKET,
    "The ASGI server knows no WebSockets: the whole handshake arrives and is answered as a page.",
    "`pip install 'uvicorn[standard]'` (or websockets), and no `--ws none`.",
)
def server_without_websockets(seen: Seen) -> Evidence | str | None:
    said = probe(seen.handshake)
    if said.get("hop") == "asgi" and said.get("upgrade"):
        return f'{told(seen)}, "upgrade": "{said["upgrade"]}", "connection": "{said.get("connection")}"'
    return logged(seen, "Unsupported upgrade request|No supported WebSocket library") if refused(seen) else None


def refused(seen: Seen) -> bool:
    """500 is the application's own failure, and the next hop's business."""
    return reply(seen).status not in (101, 500)


@row(
    1,
    Hop.WEBSOCKET,
    "The handshake goes to gunicorn, which speaks no WebSocket.",
    "Let /ws/ lead to daphne whatever headers a request has.",
)
def handshake_goes_to_gunicorn(seen: Seen) -> str | None:
    return f'{told(seen)}, "hop": "wsgi"' if probe(seen.handshake).get("hop") == "wsgi" else None


@row(
    22,
    Hop.WEBSOCKET,
    "The handshake is redirected, which no browser follows.",
    "Exempt /ws/ from the redirect (https, www, missing slash), or use the address where it leads to.",
)
def handshake_is_redirected(seen: Seen) -> str | None:
    if reply(seen).status not in (301, 302, 303, 307, 308):
        return None
    return f"{told(seen)} to {reply(seen).headers.get('location')}"


@row(
    5,
    Hop.WEBSOCKET,
    "The application refuses the site's own Origin.",
    "The name must be in ALLOWED_HOSTS or ALLOWED_ORIGINS, and nginx must pass on Host as the browser sent it;"
    " the log says which (`Socket refused: …`).",
)
def origin_is_refused(seen: Seen) -> Evidence | str | None:
    if reply(seen).status != 403:
        return None
    shown = f"{told(seen)} to Origin https://{seen.target().authority}"
    said = logged(seen, "Socket refused")
    return Evidence(f"{shown}; {said.text}", said.where) if said else shown


@row(
    5,
    Hop.WEBSOCKET,
    "Pages of any other site may open our sockets in a visitor's name.",
    "Check Origin: realtime.origins.OriginGuard here, AllowedHostsOriginValidator in Channels.",
    warning=True,
)
def any_origin_is_welcome(seen: Seen) -> str | None:
    stranger = seen.stranger
    return "Origin https://stranger.invalid is answered by 101" if stranger and stranger.status == 101 else None


@row(
    34,
    Hop.WEBSOCKET,
    "nginx limits the handshakes and says 503, as if the server were broken.",
    "`limit_req_status 429; limit_conn_status 429;` and a burst for an office that comes back at once.",
)
def handshake_limit_says_503(seen: Seen) -> str | None:
    return first_limit(seen, (reply(seen),))


@row(
    6,
    Hop.WEBSOCKET,
    "The application does something slow before it accepts: a Redis that swallows packets, a database that waits.",
    "Accept first; give Redis a socket_connect_timeout and socket_timeout of 2 s.",
)
def slow_before_accept(seen: Seen) -> str | None:
    plain, shaken = seen.sentinel, reply(seen)
    waited = shaken.error in ("timeout", "ended") or shaken.status in (502, 504)
    if plain is None or plain.error or not waited or shaken.seconds < max(0.5, 3 * plain.seconds):
        return None
    return f"{told(seen)} after {shaken.seconds:.1f} s; plain HTTP there answers in {plain.seconds:.2f} s"


@row(
    0,
    Hop.WEBSOCKET,
    "Socket.IO is there, and was asked without the words that it wants in the address.",
    "Ask it as its clients do: --ws-path '/socket.io/?EIO=4&transport=websocket' (its `path` option may differ).",
)
def socket_io_is_asked_wrongly(seen: Seen) -> str | None:
    plain, shaken = seen.sentinel, reply(seen)
    said = plain.json if plain and plain.status == shaken.status == 400 else None
    if not isinstance(said, dict) or not {"code", "message"} <= said.keys():
        return None
    return f"{told(seen)}; it says: {said['message']}"


@row(
    10,
    Hop.WEBSOCKET,
    "The page opens its sockets at another path than the one that was asked.",
    "--ws-path PATH, with the whole path that the page's script makes up.",
)
def page_opens_another_path(seen: Seen) -> Evidence | None:
    if reply(seen).status == 101 or seen.report:
        return None
    opened = {path: file for file, text in seen.scripts.items() for path in paths_opened(text)}
    if not opened or any(seen.asked.ws_path.startswith(path) for path in opened):
        return None
    path, file = next(iter(opened.items()))
    return Evidence(f"{told(seen)}; the script opens {path}…", file)


def paths_opened(script: str) -> list[str]:
    """How the paths begin to which a script opens sockets."""
    opening = re.findall(r"new WebSocket\(([^;]{0,300})", script)
    literals = [text for words in opening for text in re.findall(r"""["'`}](/[^/"'`$\s][^"'`$\s]*)""", words)]
    return [*literals, *(["/socket.io/"] if re.search(r"socket\.io(\.min)?\.js|\bio\(", script) else [])]


@row(
    2,
    Hop.WEBSOCKET,
    "The handshake is answered as if it asked for a page: Upgrade is lost on the way, or it is the wrong server.",
    "In nginx's location of the sockets: the two headers (Upgrade, Connection) and proxy_pass to the ASGI server; a"
    " wrong path looks the same: try --ws-path.",
)
def answered_as_a_page(seen: Seen) -> str | None:
    return told(seen) if reply(seen).status in (200, 404, 405, 426) else None


@row(
    0,
    Hop.WEBSOCKET,
    "Something on the way answers the handshake with a 101 of its own.",
    "A cache or a middlebox: let it pass WebSockets through, or use wss on 443.",
)
def made_up_101(seen: Seen) -> str | None:
    if reply(seen).status != 101 or reply(seen).key_answered:
        return None
    return "Sec-WebSocket-Accept does not answer our key"


@row(
    0,
    Hop.WEBSOCKET,
    "The handshake is refused.",
    "The status and the reason phrase tell who spoke; run the doctor with --host on the machine to see each hop.",
)
def handshake_is_refused(seen: Seen) -> str | None:
    return told(seen) if refused(seen) else None


@row(
    30,
    Hop.WEBSOCKET,
    "daphne may open few files, and every socket is one.",
    "LimitNOFILE=20000 in its unit; compose: ulimits.nofile.",
    warning=True,
)
def few_descriptors(seen: Seen) -> str | None:
    for process in seen.inside.processes.values() if seen.inside else ():
        if process.files_limit < 1024 or process.files > 0.9 * process.files_limit:
            return f"process {process.pid}: {process.files} of {process.files_limit} files are open"
    return None
