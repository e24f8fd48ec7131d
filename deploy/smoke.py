#!/usr/bin/env python3
"""Check a site of the chat as a browser reaches it: the page over https, then a WebSocket. Name the hop that fails.

    deploy/smoke.py https://chat.example.org
    deploy/smoke.py https://chat.example.org --connect 127.0.0.1 --trust /etc/nginx/certificate/fullchain.pem

It needs Python 3.11 and no packages. The exit code is 0 with one line, or 1 with one line that names the hop and the
reason. `python3 -m deploy.doctor` finds the cause.
"""

import argparse
import socket
import ssl
import sys
from pathlib import Path
from urllib.parse import urlsplit

if not __package__:  # started as a file: imports begin at the repository's root, and not in this folder
    sys.path[0] = str(Path(__file__).resolve().parent.parent)

from deploy.doctor.http_client import Reply, Target, classify_error, describe_error, request
from deploy.doctor.observations import UpgradeProbe
from deploy.doctor.ws_client import SUBPROTOCOL, Handshake, WebSocket, open_websocket

TIMEOUT_SECONDS = 10  # for each answer
WS_PATH = "/ws/"
TITLE = b"Parley"  # on every page of the chat
UPSTREAM_FAILURES = (502, 503, 504)  # nginx answers so for a server that it does not reach
UNAUTHENTICATED = 4401  # close code of the chat's protocol


class HopFailure(Exception):
    """A hop fails."""

    def __init__(self, hop: str, reason: str) -> None:
        """Name the hop (name, tls, nginx, gunicorn, daphne or protocol) and the reason."""
        super().__init__(f"{hop}: {reason}")
        self.reason = reason


def check_connection(target: Target, timeout: float = TIMEOUT_SECONDS) -> None:
    """Check the name, the connection and the certificate. Raises HopFailure."""
    try:
        connected = target.connect(timeout)
    except socket.gaierror as error:
        raise HopFailure("name", f"{target.address} has no address ({error.strerror})") from None
    except OSError as error:
        reason = describe_error(classify_error(error))
        raise HopFailure("nginx", f"{target.address} port {target.port} does not answer: {reason}") from None
    try:
        target.start_tls(connected).close()
    except ssl.SSLError as error:
        raise HopFailure("tls", str(error)) from None
    except OSError as error:
        raise HopFailure("tls", f"the connection ends before the server shows a certificate ({error})") from None


def check_page(target: Target, timeout: float = TIMEOUT_SECONDS) -> None:
    """Check that `/` is the chat's page, with the header that binds browsers to https. Raises HopFailure."""
    reply = get(target, "/", timeout)
    if reply.status in UPSTREAM_FAILURES:
        raise HopFailure("gunicorn", f"/ answers {reply.status}: nginx runs, and gunicorn does not")
    if reply.status != 200 or TITLE not in reply.body:
        raise HopFailure("gunicorn", f"/ answers {reply.status} without the chat's page: {reply.body[:200]!r}")
    if "strict-transport-security" not in reply.headers:
        raise HopFailure("nginx", "/ answers without the header Strict-Transport-Security")


def check_upgrade_probe(target: Target, timeout: float = TIMEOUT_SECONDS) -> None:
    """Check that the server of the WebSockets answers a plain GET of their path. Raises HopFailure."""
    reply = get(target, WS_PATH, timeout)
    if reply.status in UPSTREAM_FAILURES:
        raise HopFailure("daphne", f"{WS_PATH} answers {reply.status}: nginx runs, and daphne does not")
    probe = UpgradeProbe.from_reply(reply)
    if probe is None or probe.hop != "asgi":
        raise HopFailure("nginx", f"{WS_PATH} answers {reply.status} {reply.body[:200]!r}: it does not lead to daphne")
    if probe.forwarded_proto != "https":
        raise HopFailure("nginx", f"daphne receives X-Forwarded-Proto {probe.forwarded_proto!r} instead of 'https'")


def check_handshake(target: Target, timeout: float = TIMEOUT_SECONDS) -> WebSocket:
    """Check the WebSocket handshake, and return the open WebSocket. Raises HopFailure."""
    handshake = open_websocket(target, WS_PATH, timeout, origin=f"https://{target.authority}")
    if handshake.websocket is None or not is_chat_handshake(handshake):
        handshake.abort()
        raise HopFailure(*explain_refusal(handshake))
    return handshake.websocket


def is_chat_handshake(handshake: Handshake) -> bool:
    """Whether a WebSocket server answered, and agreed on the chat's protocol."""
    return handshake.is_key_answered and handshake.subprotocol == SUBPROTOCOL


def explain_refusal(handshake: Handshake) -> tuple[str, str]:
    """Return the hop and the reason of a handshake that did not lead to a WebSocket of the chat."""
    reply = handshake.reply
    if reply.error:
        return "nginx", f"the handshake gets no answer: {reply}"
    if reply.status != 101:
        hop = "nginx" if reply.status in (400, 426) else "daphne"
        return hop, f"the handshake is answered by {reply}, not 101"
    if not handshake.is_key_answered:
        return "nginx", "the 101 does not answer the key of the handshake: a program between here and daphne sent it"
    return "daphne", f"the server does not speak {SUBPROTOCOL}"


def check_hello(websocket: WebSocket) -> None:
    """Check that the chat refuses a hello without a session: that takes the application and its database.

    Raises:
        HopFailure: the answer is another one, or there is none.
    """
    received = websocket.send_command(type="hello", id=1, client="smoke")
    websocket.abort()
    if received.kind != "text":
        raise HopFailure("protocol", f"hello gets no answer: {received}")
    if (received.message_type, received.json.get("code")) != ("bye", UNAUTHENTICATED):
        raise HopFailure("protocol", f"a hello without a session is answered by {received.json}")


def get(target: Target, path: str, timeout: float) -> Reply:
    """Return the answer to a GET request. Raises HopFailure when there is none."""
    reply = request(target, path, timeout)
    if reply.error:
        raise HopFailure("nginx", f"GET {path} gets no answer: {reply}")
    return reply


def main() -> int:
    """Check the site of the command line, and return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("url", help="https://NAME[:PORT]")
    parser.add_argument("--connect", metavar="ADDRESS", help="connect to this address, not to the name's")
    parser.add_argument("--trust", metavar="FILE", help="trust the certificates in this file instead of the system's")
    options = parser.parse_args()
    parts = urlsplit(options.url)
    if parts.scheme != "https" or not parts.hostname:
        parser.error(f"{options.url!r} is not https://NAME[:PORT]")
    tls = ssl.create_default_context(cafile=options.trust)
    if options.trust:
        tls.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN  # the file may end with an intermediate certificate
    address = options.connect or parts.hostname
    target = Target(parts.hostname, parts.port or 443, address, tls, user_agent="stack-smoke")
    try:
        check_connection(target)
        check_page(target)
        check_upgrade_probe(target)
        check_hello(check_handshake(target))
    except HopFailure as failure:
        print(f"smoke: {options.url}: {failure}", file=sys.stderr)
        return 1
    print(f"smoke: {options.url}: the page, the upgrade probe, the WebSocket and hello work")
    return 0


if __name__ == "__main__":
    sys.exit(main())
