"""The probes that send plain requests: redirects, the page and its scripts, the upgrade probe, readiness."""

import email.utils
import re
import time
from urllib.parse import urljoin, urlsplit

from deploy.doctor.http_client import Target, request
from deploy.doctor.observations import Observations, UpgradeProbe
from deploy.doctor.site_handshake import open_site_websocket

MAX_REDIRECTS = 5
MAX_SCRIPTS = 6  # of a page are read
REDIRECT_STATUSES = (301, 302, 303, 307, 308)
SCRIPT_SOURCE = re.compile(r"<script[^>]+src=[\"']([^\"']+)")
FORGED_HEADERS = {"X-Forwarded-Proto": "http", "X-Forwarded-Host": "stranger.invalid"}


def probe_redirects(observations: Observations) -> None:
    """Observe where plain HTTP leads, and follow the page's redirects on this site."""
    options, target = observations.options, observations.target()
    if options.http_port is not None:
        http_target = Target(options.host, options.http_port, observations.reachable_addresses[0], None)
        observations.http_reply = request(http_target, "/", options.timeout)
    path = options.page_path
    while len(observations.page_replies) <= MAX_REDIRECTS:
        reply = request(target, path, options.timeout)
        observations.page_replies.append(reply)
        location = urlsplit(urljoin(f"{observations.origin}{path}", reply.headers.get("location", "")))
        if reply.status not in REDIRECT_STATUSES or location.netloc != target.authority:
            return
        path = location.path + (f"?{location.query}" if location.query else "")


def probe_page(observations: Observations) -> None:
    """Observe the server's clock, the text of the page's scripts, and what /readyz says of the database."""
    options, reply = observations.options, observations.page_replies[-1]
    if date := reply.headers.get("date"):
        try:
            observations.clock_offset_seconds = email.utils.parsedate_to_datetime(date).timestamp() - time.time()
        except ValueError:
            observations.clock_offset_seconds = None
    text = reply.body.decode(errors="replace")
    observations.scripts[options.page_path] = text
    target = observations.target()
    for source in SCRIPT_SOURCE.findall(text)[:MAX_SCRIPTS]:
        location = urlsplit(urljoin(f"{observations.origin}{options.page_path}", source))
        if location.netloc == target.authority:
            body = request(target, location.path, options.timeout).body
            observations.scripts[location.path] = body.decode(errors="replace")
    probe_readiness(observations)


def probe_upgrade(observations: Observations) -> None:
    """Observe which server a plain GET of the WebSocket path reaches, and whether forged headers get through."""
    options, target = observations.options, observations.target()
    observations.upgrade_probe_reply = request(target, options.ws_path, options.timeout)
    if observations.upgrade_probe and observations.upgrade_probe.hop == "wsgi":
        handshake = open_site_websocket(observations)
        handshake.abort()
        answer = UpgradeProbe.from_reply(handshake.reply)
        observations.is_routed_by_upgrade = answer is None or answer.hop != "wsgi"
    if observations.upgrade_probe:
        observations.forged_probe_reply = request(target, options.ws_path, options.timeout, FORGED_HEADERS)


def probe_readiness(observations: Observations) -> None:
    """Observe what /readyz answers."""
    observations.readiness_reply = request(observations.target(), "/readyz", observations.options.timeout)
