"""The site as pages: redirects, the first page, the clock, what its scripts intend."""

import re

from deploy.doctor.catalogue import Evidence, Hop, row
from deploy.doctor.causes.logs import logged
from deploy.doctor.probes import REDIRECTS
from deploy.doctor.seen import Seen

CLOCK_SECONDS = 60  # tokens and certificates are judged by minutes


@row(
    23,
    Hop.REDIRECT,
    "The page redirects to itself for ever: Django does not believe that the visitor came by https.",
    "SECURE_PROXY_SSL_HEADER in the settings, and `proxy_set_header X-Forwarded-Proto $scheme;` in nginx.",
)
def redirect_loop(seen: Seen) -> str | None:
    if len(seen.pages) <= REDIRECTS:
        return None
    last = seen.pages[-1]
    return f"{seen.asked.page} answers {last} to {last.headers.get('location')}, {len(seen.pages)} times in a row"


@row(
    22,
    Hop.REDIRECT,
    "http does not lead to https: who types the name gets another page or none.",
    "A server block on port 80 with `return 308 https://$host$request_uri;`.",
    warning=True,
)
def http_does_not_lead_to_https(seen: Seen) -> str | None:
    plain = seen.plain
    if plain is None or plain.headers.get("location", "").startswith("https://"):
        return None
    return f"http, port {seen.asked.http_port}: {plain}"


@row(
    20,
    Hop.HTTP,
    "nginx ends the request without an answer: another server block than yours took it.",
    "Put the name into your server_name; `nginx -T` shows which block is the default_server that answers instead.",
)
def wrong_server_block(seen: Seen) -> str | None:
    last = seen.pages[-1]
    return f"GET {seen.asked.page}: {last}" if last.error in ("ended", "reset") else None


@row(
    4,
    Hop.HTTP,
    "Django refuses the site's own name.",
    "Put the name into ALLOWED_HOSTS; or nginx sends another Host: `proxy_set_header Host $host;` in every location.",
)
def host_is_not_allowed(seen: Seen) -> str | None:
    last = seen.pages[-1]
    return f"GET {seen.asked.page}: {last}, while the connection is well" if last.status == 400 else None


@row(
    13,
    Hop.HTTP,
    "nginx is there, and gunicorn behind it is not.",
    "`systemctl status parley-web`, `journalctl -u parley-web`; compose: `docker compose logs web`.",
)
def gunicorn_is_down(seen: Seen) -> str | None:
    last = seen.pages[-1]
    return f"GET {seen.asked.page}: {last}" if last.status in (502, 504) else None


@row(
    0,
    Hop.HTTP,
    "The site is closed for a while, or its servers are just restarting.",
    "`rm /var/lib/parley/maintenance` opens it (compose: /tmp/maintenance in nginx); a restart is over within seconds.",
)
def pages_are_closed(seen: Seen) -> str | None:
    return f"GET {seen.asked.page}: {seen.pages[-1]}" if seen.pages[-1].status == 503 else None


@row(
    39,
    Hop.HTTP,
    "gunicorn (25.1 and newer) wants a control socket in $HOME, which a sandboxed service does not have.",
    "`control_socket_disable = True` in gunicorn.conf.py, or `--no-control-socket`.",
    warning=True,
)
def control_socket_has_no_home(seen: Seen) -> Evidence | None:
    return logged(seen, "Control server error|Failed to start control socket", earlier=True)


@row(
    0,
    Hop.HTTP,
    "The first page fails.",
    "Look into the application's log at this minute; 429 means that this machine is rate limited.",
)
def page_fails(seen: Seen) -> str | None:
    last = seen.pages[-1]
    return f"GET {seen.asked.page}: {last}" if last.error or last.status == 429 or last.status >= 500 else None


@row(
    21,
    Hop.HTTP,
    "The page comes by https and its script opens ws://, which browsers block before anything is sent.",
    "Take the scheme from the page: `(location.protocol === 'https:' ? 'wss://' : 'ws://') + location.host`.",
)
def script_says_ws(seen: Seen) -> Evidence | None:
    for path, text in seen.scripts.items():
        found = re.search(r"""["'`]ws://(?!localhost|127\.)""", text)
        if found and "wss:" not in text:
            line = text.count("\n", 0, found.start()) + 1
            shown = text.splitlines()[line - 1].strip()[:100]
            return Evidence(shown, f"{path}:{line}")
    return None


@row(
    21,
    Hop.HTTP,
    "The page's Content-Security-Policy forbids its own WebSocket.",
    "connect-src must have 'self' (and for old Safari wss://NAME).",
)
def policy_forbids_the_socket(seen: Seen) -> str | None:
    policy = seen.pages[-1].headers.get("content-security-policy", "")
    parts = {words[0]: words[1:] for part in policy.split(";") if (words := part.split())}
    allowed = parts.get("connect-src", parts.get("default-src"))
    if allowed is None or any(one == "'self'" or one == "*" or one.startswith("wss:") for one in allowed):
        return None
    return f"connect-src {' '.join(allowed) or 'is empty'}"


@row(
    40,
    Hop.HTTP,
    "The server's clock and ours differ: certificates and tokens are refused by one of them.",
    "`timedatectl set-ntp true` on the one that is wrong.",
)
def clock_is_wrong(seen: Seen) -> str | None:
    if seen.clock is None or abs(seen.clock) < CLOCK_SECONDS:
        return None
    return f"its Date is {abs(seen.clock):.0f} s {'ahead of' if seen.clock > 0 else 'behind'} this machine's"
