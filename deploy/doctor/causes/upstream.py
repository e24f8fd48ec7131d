"""What nginx reaches at the sockets' path: asked by plain HTTP, to which our servers answer 426 and who they are."""

from deploy.doctor.catalogue import Evidence, Hop, row
from deploy.doctor.causes.logs import logged
from deploy.doctor.seen import Seen, probe
from deploy.doctor.wire import Reply


def dead(seen: Seen) -> bool:
    """nginx got nothing from behind."""
    return bool(seen.sentinel and (seen.sentinel.status in (502, 504) or seen.sentinel.error == "timeout"))


def told(seen: Seen) -> str:
    return f"GET {seen.asked.ws_path}: {seen.sentinel}"


def direct(seen: Seen, error: str) -> str:
    """The first upstream that answers its handshake with this error."""
    found = seen.inside.direct.items() if seen.inside else ()
    return next((upstream for upstream, reply in found if reply.error == error), "")


@row(
    12,
    Hop.SENTINEL,
    "The ASGI application cannot be imported: models are imported before Django is set up.",
    "In asgi.py call get_asgi_application() first and import consumers after it; keep import sorters off.",
)
def apps_are_not_loaded(seen: Seen) -> Evidence | None:
    return logged(seen, r"AppRegistryNotReady|Apps aren't loaded yet", earlier=True) if dead(seen) else None


@row(
    14,
    Hop.SENTINEL,
    "The socket file that nginx asks is not there.",
    "Start what makes it (`systemctl status 'parley-ws@*.socket'`), or correct the path in the upstream block.",
)
def socket_file_is_missing(seen: Seen) -> str | None:
    path = direct(seen, "missing")
    return f"{told(seen)}; {path}: no such file" if dead(seen) and path else None


@row(
    14,
    Hop.SENTINEL,
    "nginx may not connect to the socket file.",
    "SocketMode=0660 and SocketGroup=www-data in the socket unit, and a folder that nginx may enter.",
)
def socket_file_is_closed_to_nginx(seen: Seen) -> str | None:
    closed = seen.inside.closed_to_nginx if seen.inside else {}
    return f"{told(seen)}; {next(iter(closed.values()))}" if dead(seen) and closed else None


@row(
    16,
    Hop.SENTINEL,
    "nginx speaks TLS to an upstream that does not.",
    "`proxy_pass http://…;`: TLS ends at nginx.",
)
def proxy_pass_says_https(seen: Seen) -> Evidence | None:
    nginx = seen.inside.nginx if seen.inside else None
    passed = nginx.effective("proxy_pass") if nginx else []
    if not dead(seen):
        return None
    if passed and passed[0].args[0].startswith("https://"):
        return Evidence(f"{told(seen)}; proxy_pass {passed[0].args[0]}", passed[0].where)
    return logged(seen, r"SSL_do_handshake\(\) failed.*upstream|SSL handshaking to upstream")


@row(
    30,
    Hop.SENTINEL,
    "daphne has no file descriptor left for another connection.",
    "LimitNOFILE=20000 in its unit (compose: ulimits.nofile); one for each socket, and some.",
)
def descriptors_run_out(seen: Seen) -> Evidence | str | None:
    if not dead(seen):
        return None
    for process in seen.inside.processes.values() if seen.inside else ():
        if process.files >= process.files_limit - 3:
            return f"{told(seen)}; process {process.pid} has {process.files} of {process.files_limit} files open"
    return logged(seen, "Too many open files|EMFILE")


@row(
    13,
    Hop.SENTINEL,
    "nginx is there, and the server for sockets (daphne) behind it is not.",
    "`systemctl status 'parley-ws@*'`, `journalctl -u 'parley-ws@*'`; compose: `docker compose logs ws`.",
)
def daphne_is_down(seen: Seen) -> Evidence | str | None:
    refused = direct(seen, "refused")
    if seen.sentinel is None or seen.sentinel.status != 502:
        return None
    return f"{told(seen)}; {refused}: connection refused" if refused else told(seen)


@row(
    16,
    Hop.SENTINEL,
    "What is behind nginx does not answer: a stuck server, or `proxy_pass https://` to a plain one.",
    "Ask the upstream itself (`--host` does); a stuck daphne is restarted by systemd's watchdog.",
)
def nothing_answers_behind(seen: Seen) -> str | None:
    return told(seen) if dead(seen) else None


@row(
    1,
    Hop.SENTINEL,
    "nginx sends the sockets to gunicorn, which speaks no WebSocket.",
    "A `location /ws/` with its own proxy_pass to daphne (nginx/sites/parley.conf), above or beside `location /`.",
)
def sockets_go_to_gunicorn(seen: Seen) -> Evidence | None:
    if seen.report.get("hop") != "wsgi":
        return None
    nginx = seen.inside.nginx if seen.inside else None
    location = nginx.socket_location if nginx else None
    return Evidence(f'{told(seen)}, "hop": "wsgi"', location.where if location else "")


@row(
    34,
    Hop.SENTINEL,
    "nginx limits the handshakes and says 503, as if the server were broken.",
    "`limit_req_status 429; limit_conn_status 429;` and a burst for an office that comes back at once.",
)
def limit_says_503(seen: Seen) -> str | None:
    return first_limit(seen, (seen.sentinel, seen.forged))


def first_limit(seen: Seen, replies: tuple[Reply | None, ...]) -> str | None:
    """A bare 503 of nginx's own: nothing behind it was asked."""
    if any(reply and reply.status == 503 and reply.by_nginx for reply in replies):
        return f"{seen.asked.ws_path}: 503, written by nginx itself"
    return None


@row(
    0,
    Hop.SENTINEL,
    "The site is closed, or its servers are just restarting.",
    "`rm /var/lib/parley/maintenance` opens it; a restart is over within seconds: try again.",
)
def site_is_closed(seen: Seen) -> str | None:
    return told(seen) if seen.sentinel and seen.sentinel.status == 503 else None


@row(0, Hop.SENTINEL, "This machine is rate limited.", "Wait a minute, or run the doctor on the machine itself.")
def we_are_limited(seen: Seen) -> str | None:
    limited = any(reply and reply.status == 429 for reply in (seen.sentinel, seen.forged))
    return f"{seen.asked.ws_path}: 429" if limited else None


@row(
    4,
    Hop.SENTINEL,
    "The servers get another Host than the browser sent: a proxy_set_header in an inner block drops the outer ones.",
    "One include with all proxy_set_header lines in every location that proxies (nginx/snippets/proxy-headers.conf).",
)
def host_is_not_passed_on(seen: Seen) -> str | None:
    host = seen.report.get("host", seen.target().authority)
    if str(host).lower() == seen.target().authority.lower():
        return None
    return f'{told(seen)}, "host": "{host}", asked as {seen.target().authority}'


@row(
    23,
    Hop.SENTINEL,
    "daphne is not told that the visitor came by https.",
    "`proxy_set_header X-Forwarded-Proto $scheme;` at /ws/, too, and SECURE_PROXY_SSL_HEADER in the settings.",
)
def scheme_is_not_passed_on(seen: Seen) -> str | None:
    if not seen.report or seen.report.get("forwarded_proto") == "https":
        return None
    return f'{told(seen)}, "forwarded_proto": {seen.report.get("forwarded_proto")!r}'


@row(
    33,
    Hop.SENTINEL,
    "What a client claims about itself is passed on: addresses and schemes can be forged.",
    "Overwrite, never append: `proxy_set_header X-Forwarded-For $remote_addr;`, X-Forwarded-Proto `$scheme`.",
    warning=True,
)
def claims_are_passed_on(seen: Seen) -> Evidence | str | None:
    nginx = seen.inside.nginx if seen.inside else None
    header = nginx.header("X-Forwarded-For") if nginx else None
    if header and "proxy_add_x_forwarded_for" in header.args[-1]:
        return Evidence(f"proxy_set_header {' '.join(header.args)}", header.where)
    said = probe(seen.forged).get("forwarded_proto", "https")
    return f"a forged X-Forwarded-Proto: http arrives as {said!r}" if said != "https" else None


@row(
    10,
    Hop.SENTINEL,
    "The path is cut on the way: the application is asked for another page than the sockets' one.",
    "`proxy_pass http://ws;` without a slash or a path after the upstream's name.",
)
def prefix_is_stripped(seen: Seen) -> Evidence | str | None:
    reply, page = seen.sentinel, seen.pages[-1] if seen.pages else None
    if reply is None or page is None or reply.status != 200 or page.status != 200:
        return None
    nginx = seen.inside.nginx if seen.inside else None
    passed = nginx.effective("proxy_pass") if nginx else []
    if title(reply) and title(reply) == title(page):
        shown = f"{told(seen)}, the same page as /"
        return Evidence(shown, passed[0].where) if passed else shown
    return None


def title(reply: Reply) -> bytes:
    return reply.body.partition(b"<title>")[2].partition(b"</title>")[0].strip()


@row(
    22,
    Hop.SENTINEL,
    "The sockets' path is redirected, and browsers do not follow a redirect when they open a WebSocket.",
    "Exempt /ws/ from it; when it leads to https, the server was not told that the visitor came by https.",
)
def sockets_are_redirected(seen: Seen) -> str | None:
    if seen.sentinel is None or seen.sentinel.status not in (301, 302, 303, 307, 308):
        return None
    return f"{told(seen)} to {seen.sentinel.headers.get('location')}"


@row(
    13,
    Hop.SENTINEL,
    "One of several servers behind nginx is down; the others carry its share.",
    "`systemctl status 'parley-ws@*'`: start the one that is named.",
    warning=True,
)
def one_daphne_of_several_is_down(seen: Seen) -> str | None:
    found = seen.inside.direct if seen.inside else {}
    down = [f"{upstream}: {reply}" for upstream, reply in found.items() if reply.error]
    return ", ".join(down) if 0 < len(down) < len(found) else None
