"""What is asked from outside, hop by hop: reading only, each answer limited in time, some twenty requests."""

import email.utils
import re
import socket
import ssl
import time
from dataclasses import replace
from urllib.parse import urljoin, urlsplit

from deploy.doctor.catalogue import Hop
from deploy.doctor.seen import Asked, Seen, Tls
from deploy.doctor.wire import Reply, Target, ask, error_word, handshake

REDIRECTS = 5
SCRIPTS = 6
STRANGER = "https://stranger.invalid"


def begin(asked: Asked) -> Seen:
    return Seen(asked, context(asked))


def context(asked: Asked, *protocols: str) -> ssl.SSLContext:
    """As a browser trusts, unless the operator names other authorities or wants none."""
    trust = ssl.create_default_context(cafile=asked.ca)
    if asked.ca:
        trust.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN  # the file may end below its root
    if asked.insecure:
        trust.check_hostname, trust.verify_mode = False, ssl.CERT_NONE
    trust.set_alpn_protocols(protocols or ("http/1.1",))
    return trust


def names(seen: Seen) -> None:
    if seen.asked.addresses:
        seen.addresses = list(seen.asked.addresses)
        return
    try:
        found = socket.getaddrinfo(seen.asked.host, seen.asked.port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        seen.name_error = getattr(error, "strerror", None) or str(error)
        return
    seen.addresses = list(dict.fromkeys(str(entry[4][0]) for entry in found))


def tcp(seen: Seen) -> None:
    for address in seen.addresses:
        seen.tcp[address] = knock(address, seen.asked.port, seen.asked.patience)
    for address in seen.working:
        if not is_loopback(address):
            seen.open_ports += [
                f"{address}:{port}" for port in seen.asked.private_ports if not knock(address, port, 0.5)
            ]


def knock(address: str, port: int, patience: float) -> str:
    """Empty when somebody answers, else the word for what happens instead."""
    try:
        socket.create_connection((address, port), timeout=patience).close()
    except OSError as error:
        return error_word(error)
    return ""


def is_loopback(address: str) -> bool:
    return address.startswith("127.") or address in ("::1", "localhost")


def tls(seen: Seen) -> None:
    for address in seen.working:
        seen.tls[address] = look(seen, address)


def look(seen: Seen, address: str) -> Tls:
    found = shake(seen.target(address), context(seen.asked), seen.asked.patience)
    found.chosen_with_h2 = found.alpn
    if not found.error or found.code == 0:
        both = shake(seen.target(address), context(seen.asked, "h2", "http/1.1"), seen.asked.patience)
        found.chosen_with_h2 = both.alpn
    if found.code:  # whose is it, then?
        lenient = context(seen.asked)
        lenient.check_hostname = False
        found.names = shake(seen.target(address), lenient, seen.asked.patience).names
    return found


def shake(target: Target, trust: ssl.SSLContext, patience: float) -> Tls:
    try:
        with replace(target, tls=trust).open(patience).socket as line:
            assert isinstance(line, ssl.SSLSocket)
            shown = line.getpeercert() or {}
            days = None
            if isinstance(until := shown.get("notAfter"), str):
                days = (ssl.cert_time_to_seconds(until) - time.time()) / 86400
            alternatives = shown.get("subjectAltName", ())
            names = tuple(str(entry[1]) for entry in alternatives if isinstance(entry, tuple))
            return Tls("", 0, line.version() or "", line.selected_alpn_protocol(), None, days, names)
    except ssl.SSLCertVerificationError as error:
        return Tls(error.verify_message, error.verify_code)
    except OSError as error:
        return Tls(error_word(error))


def redirect(seen: Seen) -> None:
    asked = seen.asked
    if asked.http_port is not None:
        seen.plain = ask(Target(asked.host, asked.http_port, seen.working[0], None), "/", asked.patience)
    path = asked.page
    while len(seen.pages) <= REDIRECTS:
        page = ask(seen.target(), path, asked.patience)
        seen.pages.append(page)
        to = urlsplit(urljoin(f"https://{seen.target().authority}{path}", page.headers.get("location", "")))
        if page.status not in (301, 302, 303, 307, 308) or to.netloc != seen.target().authority:
            return
        path = to.path + (f"?{to.query}" if to.query else "")


def page(seen: Seen) -> None:
    last = seen.pages[-1]
    if date := last.headers.get("date"):
        try:
            seen.clock = email.utils.parsedate_to_datetime(date).timestamp() - time.time()
        except ValueError:
            seen.clock = None
    text = last.body.decode(errors="replace")
    seen.scripts[seen.asked.page] = text
    for source in re.findall(r"<script[^>]+src=[\"']([^\"']+)", text)[:SCRIPTS]:
        to = urlsplit(urljoin(f"https://{seen.target().authority}{seen.asked.page}", source))
        if to.netloc == seen.target().authority:
            seen.scripts[to.path] = ask(seen.target(), to.path, seen.asked.patience).body.decode(errors="replace")


def sentinel(seen: Seen) -> None:
    asked = seen.asked
    seen.sentinel = ask(seen.target(), asked.ws_path, asked.patience)
    if seen.report:
        lies = {"X-Forwarded-Proto": "http", "X-Forwarded-Host": "stranger.invalid"}
        seen.forged = ask(seen.target(), asked.ws_path, asked.patience, lies)


def websocket(seen: Seen) -> None:
    asked = seen.asked
    own = f"https://{seen.target().authority}"
    seen.handshake = handshake(seen.target(), asked.ws_path, asked.patience, origin=own)
    if seen.handshake.status == 101:
        seen.stranger = handshake(seen.target(), asked.ws_path, asked.patience, origin=STRANGER)
        forget(seen.stranger)


def forget(reply: Reply) -> None:
    if reply.line:
        reply.line.close()
        reply.line = None


def ready(seen: Seen) -> None:
    seen.ready = ask(seen.target(), "/readyz", seen.asked.patience)


OUTSIDE = {
    Hop.NAME: names,
    Hop.TCP: tcp,
    Hop.TLS: tls,
    Hop.REDIRECT: redirect,
    Hop.HTTP: page,
    Hop.SENTINEL: sentinel,
    Hop.WEBSOCKET: websocket,
}
