"""Causes at the hop of the upgrade probe: which server nginx reaches with the WebSocket path, and with which headers.

The probe is a plain GET. The stack's servers answer it with 426 and say who they are: `app/ops/` has that view.
"""

from deploy.doctor.catalogue import Evidence, Hop, register_cause
from deploy.doctor.causes.upstream import has_no_upstream_answer
from deploy.doctor.host.logs import find_in_logs
from deploy.doctor.http_client import Reply
from deploy.doctor.http_probes import REDIRECT_STATUSES
from deploy.doctor.observations import Observations, UpgradeProbe

FREE_DESCRIPTORS = 3  # with fewer left a server cannot accept a connection


def is_unanswered(observations: Observations) -> bool:
    """Whether nginx got no answer from the server of the WebSocket path."""
    reply = observations.upgrade_probe_reply
    return reply is not None and has_no_upstream_answer(reply)


def describe(observations: Observations) -> str:
    """Return the WebSocket path and the answer to the upgrade probe."""
    return f"GET {observations.options.ws_path}: {observations.upgrade_probe_reply}"


def find_upstream_with(observations: Observations, error: str) -> str:
    """Return the address of the first upstream whose own handshake failed with this kind of error; empty: none did."""
    handshakes = observations.host.upstream_handshakes.items() if observations.host else ()
    return next((upstream for upstream, reply in handshakes if reply.error == error), "")


def find_limit_page(observations: Observations, *replies: Reply | None) -> str | None:
    """Return the evidence when one of the replies is nginx's own 503, for which no server behind it was asked."""
    if any(reply and reply.status == 503 and reply.is_nginx_page for reply in replies):
        return f"{observations.options.ws_path}: 503, written by nginx itself"
    return None


@register_cause(
    12,
    Hop.UPGRADE_PROBE,
    "The ASGI application cannot be imported: it imports models before Django is set up.",
    "Call get_asgi_application() first in asgi.py and import the consumers after it; disable import sorters there.",
)
def apps_are_not_loaded(observations: Observations) -> Evidence | None:
    """Apply when the server does not answer and a log has Django's AppRegistryNotReady."""
    if not is_unanswered(observations):
        return None
    return find_in_logs(observations, r"AppRegistryNotReady|Apps aren't loaded yet", includes_earlier=True)


@register_cause(
    14,
    Hop.UPGRADE_PROBE,
    "The socket file to which nginx connects does not exist.",
    "Start the unit that makes it (`systemctl status '*-ws@*.socket'`), or correct the path in the upstream.",
)
def socket_file_is_missing(observations: Observations) -> str | None:
    """Apply when the server does not answer and a socket file is missing."""
    path = find_upstream_with(observations, "missing")
    return f"{describe(observations)}; {path}: no such file" if is_unanswered(observations) and path else None


@register_cause(
    14,
    Hop.UPGRADE_PROBE,
    "nginx may not connect to the socket file.",
    "Set SocketMode=0660 and SocketGroup=www-data in the socket unit, and allow nginx to enter the folder.",
)
def socket_file_is_closed_to_nginx(observations: Observations) -> str | None:
    """Apply when the server does not answer and nginx's account has no permission for its socket."""
    reasons = list(observations.host.closed_to_nginx.values()) if observations.host else []
    return f"{describe(observations)}; {reasons[0]}" if is_unanswered(observations) and reasons else None


@register_cause(
    16,
    Hop.UPGRADE_PROBE,
    "nginx speaks TLS to an upstream that does not.",
    "Write `proxy_pass http://…;`, because TLS ends at nginx.",
)
def proxy_pass_says_https(observations: Observations) -> Evidence | None:
    """Apply when the server does not answer and proxy_pass has https, or nginx logs a failed TLS handshake with it."""
    if not is_unanswered(observations):
        return None
    nginx = observations.nginx
    proxy_pass = nginx.effective("proxy_pass") if nginx else []
    if proxy_pass and proxy_pass[0].args[0].startswith("https://"):
        return Evidence(f"{describe(observations)}; proxy_pass {proxy_pass[0].args[0]}", proxy_pass[0].where)
    return find_in_logs(observations, r"SSL_do_handshake\(\) failed.*upstream|SSL handshaking to upstream")


@register_cause(
    30,
    Hop.UPGRADE_PROBE,
    "daphne has no file descriptor left for another connection.",
    "Set LimitNOFILE=20000 in its unit (compose: ulimits.nofile): one for each WebSocket, and some more.",
)
def descriptors_run_out(observations: Observations) -> Evidence | str | None:
    """Apply when the server does not answer and its process has reached its limit of open files."""
    if not is_unanswered(observations):
        return None
    for process in observations.processes:
        if process.open_files >= process.max_open_files - FREE_DESCRIPTORS:
            files = f"{process.open_files} of {process.max_open_files} files open"
            return f"{describe(observations)}; process {process.pid} has {files}"
    return find_in_logs(observations, "Too many open files|EMFILE")


@register_cause(
    13,
    Hop.UPGRADE_PROBE,
    "nginx runs, and the WebSocket server behind it (daphne) does not.",
    "Start daphne: `systemctl status '*-ws@*'`, `journalctl -u '*-ws@*'`; compose: `docker compose logs ws`.",
)
def daphne_is_down(observations: Observations) -> Evidence | str | None:
    """Apply when nginx answers 502."""
    if observations.upgrade_probe_reply is None or observations.upgrade_probe_reply.status != 502:
        return None
    refused = find_upstream_with(observations, "refused")
    return describe(observations) + (f"; {refused}: connection refused" if refused else "")


@register_cause(
    16,
    Hop.UPGRADE_PROBE,
    "The server behind nginx does not answer: it is stuck, or `proxy_pass https://` leads to one without TLS.",
    "Send a request to the upstream itself (`--host` does). The watchdog of systemd restarts a daphne that is stuck.",
)
def nothing_answers_behind(observations: Observations) -> str | None:
    """Apply when the server does not answer for another reason."""
    return describe(observations) if is_unanswered(observations) else None


@register_cause(
    1,
    Hop.UPGRADE_PROBE,
    "nginx sends the WebSockets to gunicorn, which does not support them.",
    "Add a `location /ws/` with its own proxy_pass to daphne (nginx/sites/) beside `location /`.",
)
def sockets_go_to_gunicorn(observations: Observations) -> Evidence | None:
    """Apply when the WSGI server answers the upgrade probe, unless handshakes go elsewhere by their Upgrade header."""
    probe = observations.upgrade_probe
    if probe is None or probe.hop != "wsgi" or observations.is_routed_by_upgrade:
        return None
    nginx = observations.nginx
    location = nginx.ws_location if nginx else None
    return Evidence(f'{describe(observations)}, "hop": "wsgi"', location.where if location else "")


@register_cause(
    34,
    Hop.UPGRADE_PROBE,
    "nginx limits the handshakes and answers 503, as if the server were broken.",
    "Set `limit_req_status 429; limit_conn_status 429;` and a burst for an office whose browsers reconnect at once.",
)
def limit_says_503(observations: Observations) -> str | None:
    """Apply when nginx itself answers 503 to the upgrade probe."""
    return find_limit_page(observations, observations.upgrade_probe_reply, observations.forged_probe_reply)


@register_cause(
    0,
    Hop.UPGRADE_PROBE,
    "The site is closed for maintenance, or its servers are restarting.",
    "Remove /var/lib/NAME/maintenance to open it. A restart takes seconds: try again.",
)
def site_is_closed(observations: Observations) -> str | None:
    """Apply when the answer is another 503."""
    reply = observations.upgrade_probe_reply
    return describe(observations) if reply and reply.status == 503 else None


@register_cause(
    0,
    Hop.UPGRADE_PROBE,
    "The site limits the rate of this machine's requests.",
    "Wait a minute, or run the doctor on the site's host.",
)
def we_are_limited(observations: Observations) -> str | None:
    """Apply when an answer is 429."""
    replies = (observations.upgrade_probe_reply, observations.forged_probe_reply)
    is_limited = any(reply and reply.status == 429 for reply in replies)
    return f"{observations.options.ws_path}: 429" if is_limited else None


@register_cause(
    4,
    Hop.UPGRADE_PROBE,
    "The servers get another Host than the browser sent: a proxy_set_header in an inner block removes the outer ones.",
    "Include all proxy_set_header lines in every location that proxies (nginx/snippets/proxy-headers.conf).",
)
def host_is_not_passed_on(observations: Observations) -> str | None:
    """Apply when the server received another Host."""
    probe, authority = observations.upgrade_probe, observations.target().authority
    if probe is None or str(probe.host).lower() == authority.lower():
        return None
    return f'{describe(observations)}, "host": "{probe.host}", requested as {authority}'


@register_cause(
    23,
    Hop.UPGRADE_PROBE,
    "nginx does not tell daphne that the visitor uses https.",
    "Set `proxy_set_header X-Forwarded-Proto $scheme;` at /ws/ as well, and SECURE_PROXY_SSL_HEADER in the settings.",
)
def scheme_is_not_passed_on(observations: Observations) -> str | None:
    """Apply when the server did not receive https as the scheme."""
    probe = observations.upgrade_probe
    if probe is None or probe.forwarded_proto == "https":
        return None
    return f'{describe(observations)}, "forwarded_proto": {probe.forwarded_proto!r}'


@register_cause(
    33,
    Hop.UPGRADE_PROBE,
    "nginx passes on what a client claims about itself: addresses and schemes can be forged.",
    "Overwrite them: `proxy_set_header X-Forwarded-For $remote_addr; proxy_set_header X-Forwarded-Proto $scheme;`.",
    is_warning=True,
)
def claims_are_passed_on(observations: Observations) -> Evidence | str | None:
    """Apply when nginx appends to X-Forwarded-For, or a forged X-Forwarded-Proto reached the server."""
    nginx = observations.nginx
    header = nginx.effective_header("X-Forwarded-For") if nginx else None
    if header and "proxy_add_x_forwarded_for" in header.args[-1]:
        return Evidence(f"proxy_set_header {' '.join(header.args)}", header.where)
    probe = UpgradeProbe.from_reply(observations.forged_probe_reply)
    if probe is None or probe.forwarded_proto == "https":
        return None
    return f"a forged X-Forwarded-Proto: http arrives as {probe.forwarded_proto!r}"


@register_cause(
    10,
    Hop.UPGRADE_PROBE,
    "nginx removes the path: the application is asked for another page than that of the WebSocket path.",
    "Write `proxy_pass http://ws;` without a slash or a path after the upstream's name.",
)
def prefix_is_stripped(observations: Observations) -> Evidence | str | None:
    """Apply when the WebSocket path and the page have the same title."""
    reply, page = observations.upgrade_probe_reply, observations.page_replies[-1] if observations.page_replies else None
    if reply is None or page is None or reply.status != 200 or page.status != 200:
        return None
    title = find_title(reply)
    if not title or title != find_title(page):
        return None
    nginx = observations.nginx
    proxy_pass = nginx.effective("proxy_pass") if nginx else []
    return Evidence(f"{describe(observations)}, the same page as /", proxy_pass[0].where if proxy_pass else "")


def find_title(reply: Reply) -> bytes:
    """Return the title of an HTML page; empty when it has none."""
    return reply.body.partition(b"<title>")[2].partition(b"</title>")[0].strip()


@register_cause(
    22,
    Hop.UPGRADE_PROBE,
    "The WebSocket path redirects, and browsers do not follow a redirect when they open a WebSocket.",
    "Exempt /ws/ from the redirect. When it leads to https, nginx did not tell the server that the visitor uses https.",
)
def sockets_are_redirected(observations: Observations) -> str | None:
    """Apply when the upgrade probe is answered by a redirect."""
    reply = observations.upgrade_probe_reply
    if reply is None or reply.status not in REDIRECT_STATUSES:
        return None
    return f"{describe(observations)} to {reply.headers.get('location')}"


@register_cause(
    13,
    Hop.UPGRADE_PROBE,
    "One of several servers behind nginx is down; the others serve its WebSockets.",
    "Start the server that is named: `systemctl status '*-ws@*'`.",
    is_warning=True,
)
def one_daphne_of_several_is_down(observations: Observations) -> str | None:
    """Apply when some upstreams answer their own handshake and others do not."""
    handshakes = observations.host.upstream_handshakes if observations.host else {}
    down = [f"{upstream}: {reply}" for upstream, reply in handshakes.items() if reply.error]
    return ", ".join(down) if 0 < len(down) < len(handshakes) else None
