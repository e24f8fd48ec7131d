"""Causes that the site's pages show already: redirects, the page, the clock, what its scripts open."""

import re

from deploy.doctor.catalogue import Evidence, Hop, register_cause
from deploy.doctor.host.logs import find_in_logs
from deploy.doctor.http_client import Reply
from deploy.doctor.http_probes import MAX_REDIRECTS
from deploy.doctor.observations import Observations

MAX_CLOCK_OFFSET_SECONDS = 60  # certificates and tokens are valid for minutes at least
INSECURE_WEBSOCKET_URL = re.compile(r"""["'`]ws://(?!localhost|127\.)""")
MAX_QUOTED_CHARACTERS = 100  # of a line of a script


def page_reply(observations: Observations) -> Reply:
    """Return the last answer at the page's path, after its redirects."""
    return observations.page_replies[-1]


def describe(observations: Observations) -> str:
    """Return the page's path and its last answer."""
    return f"GET {observations.options.page_path}: {page_reply(observations)}"


@register_cause(
    23,
    Hop.REDIRECT,
    "The page redirects to itself without end: Django does not know that the visitor uses https.",
    "Set SECURE_PROXY_SSL_HEADER in the settings, and `proxy_set_header X-Forwarded-Proto $scheme;` in nginx.",
)
def redirect_loop(observations: Observations) -> str | None:
    """Apply when MAX_REDIRECTS redirects do not lead to a page."""
    replies = observations.page_replies
    if len(replies) <= MAX_REDIRECTS:
        return None
    location = replies[-1].headers.get("location")
    return f"{observations.options.page_path} answers {replies[-1]} to {location}, {len(replies)} times in a row"


@register_cause(
    22,
    Hop.REDIRECT,
    "http does not lead to https: a visitor who types the bare name gets another page or none.",
    "Add a server block on port 80 with `return 308 https://$host$request_uri;`.",
    is_warning=True,
)
def http_does_not_lead_to_https(observations: Observations) -> str | None:
    """Apply when plain http answers anything but a redirect to https."""
    reply = observations.http_reply
    if reply is None or reply.headers.get("location", "").startswith("https://"):
        return None
    return f"http, port {observations.options.http_port}: {reply}"


@register_cause(
    0,
    Hop.HTTP,
    "A disk of the site is full, so its database cannot write.",
    "Free space, old logs (`journalctl --vacuum-size=200M`) or backups; `df -h` and `df -i` name the disk. PostgreSQL"
    " on a host starts again by itself when there is room.",
)
def disk_is_full(observations: Observations) -> str | None:
    """Apply when /readyz says so, whatever else fails with it."""
    reason = observations.explain_unready("disk")
    return f"/readyz: {reason}" if reason else None


@register_cause(
    0,
    Hop.HTTP,
    "A disk of the site is nearly full. The database stops when it is.",
    "Free space or enlarge the disk: `df -h` and `df -i` name it; see old logs (`journalctl --disk-usage`), backups.",
    is_warning=True,
)
def disk_is_nearly_full(observations: Observations) -> str | None:
    """Apply when /readyz warns of it."""
    warnings = observations.readiness.get("warnings")
    if disk_is_full(observations) or not isinstance(warnings, list) or not warnings:
        return None
    return f"/readyz: {'; '.join(map(str, warnings))}"


@register_cause(
    0,
    Hop.HTTP,
    "The page fails because the database does not answer.",
    "Start PostgreSQL (`systemctl status postgresql`, `docker compose logs postgres`), or correct DATABASE_URL.",
)
def page_has_no_database(observations: Observations) -> str | None:
    """Apply when the page answers with an error of the server and /readyz names the database."""
    reason = observations.explain_unready("database")
    return f"{describe(observations)}; /readyz: {reason}" if reason and page_reply(observations).status >= 500 else None


@register_cause(
    20,
    Hop.HTTP,
    "nginx closes the connection without an answer: another server block than yours received the request.",
    "Add the name to your server_name; `nginx -T` shows which block is the default_server that answers instead.",
)
def wrong_server_block(observations: Observations) -> str | None:
    """Apply when the connection ends without an answer."""
    return describe(observations) if page_reply(observations).error in ("ended", "reset") else None


@register_cause(
    4,
    Hop.HTTP,
    "Django refuses the site's own name.",
    "Add the name to ALLOWED_HOSTS. If nginx sends another Host, set `proxy_set_header Host $host;` in every location.",
)
def host_is_not_allowed(observations: Observations) -> str | None:
    """Apply when the page answers 400."""
    if page_reply(observations).status != 400:
        return None
    return f"{describe(observations)}, while the connection works"


@register_cause(
    13,
    Hop.HTTP,
    "nginx runs, and gunicorn behind it does not.",
    "Start gunicorn: `systemctl status '*-web'`, `journalctl -u '*-web'`; compose: `docker compose logs web`.",
)
def gunicorn_is_down(observations: Observations) -> str | None:
    """Apply when nginx gets no answer for the page."""
    return describe(observations) if page_reply(observations).status in (502, 504) else None


@register_cause(
    0,
    Hop.HTTP,
    "The site is closed for maintenance, or its servers are restarting.",
    "Remove /var/lib/NAME/maintenance to open it (compose: /tmp/maintenance in nginx). A restart takes seconds.",
)
def pages_are_closed(observations: Observations) -> str | None:
    """Apply when the page answers 503."""
    return describe(observations) if page_reply(observations).status == 503 else None


@register_cause(
    39,
    Hop.HTTP,
    "gunicorn (25.1 and newer) needs a control socket in $HOME, which a sandboxed service does not have.",
    "Set `control_socket_disable = True` in gunicorn.conf.py, or start gunicorn with `--no-control-socket`.",
    is_warning=True,
)
def control_socket_has_no_home(observations: Observations) -> Evidence | None:
    """Apply when gunicorn logs that its control socket failed."""
    return find_in_logs(observations, "Control server error|Failed to start control socket", includes_earlier=True)


@register_cause(
    0,
    Hop.HTTP,
    "The page fails.",
    "Read the application's log of this minute; 429 means that this machine is rate limited.",
)
def page_fails(observations: Observations) -> str | None:
    """Apply to every other error of the page."""
    reply = page_reply(observations)
    return describe(observations) if reply.error or reply.status == 429 or reply.status >= 500 else None


@register_cause(
    21,
    Hop.HTTP,
    "The page uses https and its script opens ws://, which browsers block before they send anything.",
    "Take the scheme from the page: `(location.protocol === 'https:' ? 'wss://' : 'ws://') + location.host`.",
)
def script_says_ws(observations: Observations) -> Evidence | None:
    """Apply when a script has a URL of ws:// and none of wss:."""
    for path, text in observations.scripts.items():
        found = INSECURE_WEBSOCKET_URL.search(text)
        if found and "wss:" not in text:
            line = text.count("\n", 0, found.start()) + 1
            return Evidence(text.splitlines()[line - 1].strip()[:MAX_QUOTED_CHARACTERS], f"{path}:{line}")
    return None


@register_cause(
    21,
    Hop.HTTP,
    "The page's Content-Security-Policy forbids its own WebSocket.",
    "Add 'self' to connect-src (and wss://NAME for old versions of Safari).",
)
def policy_forbids_the_socket(observations: Observations) -> str | None:
    """Apply when connect-src, or default-src in its absence, allows neither 'self' nor wss:."""
    policy = page_reply(observations).headers.get("content-security-policy", "")
    directives = {parts[0]: parts[1:] for directive in policy.split(";") if (parts := directive.split())}
    sources = directives.get("connect-src", directives.get("default-src"))
    if sources is None or any(source in ("'self'", "*") or source.startswith("wss:") for source in sources):
        return None
    return f"connect-src {' '.join(sources) or 'is empty'}"


@register_cause(
    40,
    Hop.HTTP,
    "The server's clock differs from ours, so one of them refuses certificates and tokens.",
    "Run `timedatectl set-ntp true` on the machine whose clock is wrong.",
)
def clock_is_wrong(observations: Observations) -> str | None:
    """Apply when the Date header differs from our clock by MAX_CLOCK_OFFSET_SECONDS or more."""
    offset = observations.clock_offset_seconds
    if offset is None or abs(offset) < MAX_CLOCK_OFFSET_SECONDS:
        return None
    return f"its Date is {abs(offset):.0f} s {'ahead of' if offset > 0 else 'behind'} this machine's clock"
