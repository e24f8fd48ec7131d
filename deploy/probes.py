"""The probes of a release: requests to its servers with the headers of nginx, before and after it serves.

The release's own description says which: the field `probes` of its manifest, or, without one, the page where a visitor
begins and one WebSocket. Those with `signed_in` are asked by deploy/release_steps.py.
"""

import base64
import http.client
import json
import os
import tomllib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from deploy.doctor.options import DEFAULT_WS_PATH
from deploy.doctor.ws_client import SUBPROTOCOL
from deploy.manifest_rules import HANDSHAKE_STATUS
from deploy.unix_http import UnixSocketConnection

TIMEOUT_SECONDS = 10  # for one answer
BY_APPLICATION = "application"  # X-Refused-By of a 403 that the consumer decided, and not the server


@dataclass(frozen=True)
class Expectation:
    """One probe: a path, and the status that must answer it. `None` accepts any below 500."""

    path: str
    status: int | None = None
    is_handshake: bool = False


def read_probes(release: Path) -> list[Expectation]:
    """Return the probes of the release in this folder, as its description says.

    Args:
        release: the folder of a release, of this commit or an older one.

    Raises:
        OSError, ValueError: the description cannot be read.
    """
    description = release / "site.json"
    if description.exists():
        fields = json.loads(description.read_text())
    else:
        fields = tomllib.loads((release / "app" / "stack.toml").read_text())
    asked = [probe for probe in fields.get("probes", []) if isinstance(probe, str) or not probe.get("signed_in")]
    found = [_read_probe(probe) for probe in asked]
    return found or [
        Expectation(fields.get("home") or "/"),
        Expectation(fields.get("probe") or DEFAULT_WS_PATH, is_handshake=True),
    ]


def _read_probe(field: str | dict[str, str | int]) -> Expectation:
    table = {"path": field} if isinstance(field, str) else field
    status = int(table.get("status", 200))
    return Expectation(str(table["path"]), status, is_handshake=status == HANDSHAKE_STATUS)


def find_failure(
    probes: Iterable[Expectation], web: Path, websocket: Path, host: str, subprotocol: str = ""
) -> str | None:
    """Send each probe to the server that nginx would choose, and return the first failure as a sentence, or None.

    Args:
        probes: what to ask, and what must answer.
        web: the unix socket of the HTTP server.
        websocket: the unix socket of the WebSocket server.
        host: the name of the site.
        subprotocol: what a handshake offers; "" offers that of the chat.
    """
    for probe in probes:
        path = websocket if probe.is_handshake else web
        try:
            status, refused_by = send_probe(probe, path, host, subprotocol)
        except (OSError, http.client.HTTPException) as error:
            return f"the probe {probe.path} gets no answer: {error!r}"
        if not is_expected(probe, status, refused_by):
            expected = probe.status or (HANDSHAKE_STATUS if probe.is_handshake else "a status below 500")
            return f"the probe {probe.path} is answered by {status}, not {expected}"
    return None


def is_expected(probe: Expectation, status: int, refused_by: str) -> bool:
    """Return whether the answer is that of a release that works."""
    if probe.status is not None:
        return status == probe.status
    if probe.is_handshake:  # a consumer may refuse a visitor without a session
        return status == HANDSHAKE_STATUS or (status == 403 and refused_by == BY_APPLICATION)
    return status < 500


def send_probe(probe: Expectation, path: Path, host: str, subprotocol: str = "") -> tuple[int, str]:
    """Return the status of the answer and its header X-Refused-By, "" without one.

    Raises:
        OSError, http.client.HTTPException: there is no answer within TIMEOUT_SECONDS.
    """
    connection = UnixSocketConnection(path, TIMEOUT_SECONDS)
    try:
        connection.request("GET", probe.path, headers=make_headers(probe, host, subprotocol))
        answer = connection.getresponse()
        return answer.status, answer.headers.get("X-Refused-By", "")
    finally:
        connection.close()


def make_headers(probe: Expectation, host: str, subprotocol: str = "") -> dict[str, str]:
    """Return the headers of nginx/snippets/proxy-headers.conf for a client on this host; with those of a handshake."""
    headers = {
        "Host": host,
        "X-Forwarded-For": "127.0.0.1",
        "X-Forwarded-Proto": "https",
        "X-Request-ID": os.urandom(16).hex(),
        "User-Agent": "stack-probe",
    }
    if probe.is_handshake:
        headers |= {
            "Connection": "upgrade",
            "Upgrade": "websocket",
            "Origin": f"https://{host}",
            "Sec-WebSocket-Version": "13",
            "Sec-WebSocket-Key": base64.b64encode(os.urandom(16)).decode(),
            "Sec-WebSocket-Protocol": subprotocol or SUBPROTOCOL,
        }
    return headers
