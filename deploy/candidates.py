"""Candidates: the servers of a release, started beside the ones that serve, so that a broken release never serves.

They are the units NAME-candidate-web@VERSION and NAME-candidate-ws@VERSION, in the same sandbox, with the same settings
and secrets, at unix sockets of their own.
"""

import time
from pathlib import Path

from deploy.journal import JournalMark
from deploy.probes import find_failure, read_probes
from deploy.processes import (
    CHANGE_TIMEOUT_SECONDS,
    POLL_INTERVAL_SECONDS,
    SOCKETS,
    Failed,
    ask_readiness,
    read_site_name,
    readiness_failure,
    run_systemctl,
    start_failure,
)
from deploy.site_name import SITE

KINDS = ("web", "ws")


def list_candidates(version: str) -> dict[str, Path]:
    """Return the units of the release's candidates, web first, with the unix socket of each."""
    return {
        f"{SITE}-candidate-{kind}@{version}.service": SOCKETS / f"candidate-{version}-{kind}.sock" for kind in KINDS
    }


def find_socket_unit(version: str) -> str:
    """Return the unit of the socket that systemd passes to the candidate of gunicorn."""
    return f"{SITE}-candidate-web@{version}.socket"


def are_installed(version: str) -> bool:
    """Return whether this host has the units; one whose last deployment was of an older commit does not."""
    printed = run_systemctl("show", "--property=LoadState", "--value", *list_candidates(version)).stdout
    return printed.split() == ["loaded"] * len(KINDS)


def try_release(release: Path, mark: JournalMark, subprotocol: str = "") -> None:
    """Start the candidates of a release, run its probes at them, and stop them. What serves is not affected.

    Args:
        release: the folder of the release.
        mark: from there on the journal is read for the cause of a failure.
        subprotocol: what a handshake offers; "" offers that of the chat.

    Raises:
        Failed: a candidate does not start, does not get ready, or does not answer a probe as it must.
    """
    units = list_candidates(release.name)
    web, websocket = units.values()
    try:
        run_systemctl("start", *units)
        for unit, path in units.items():
            await_candidate(unit, path, mark)
        if problem := find_failure(read_probes(release), web, websocket, read_site_name(), subprotocol):
            raise Failed(problem)
    except ValueError as error:
        raise Failed(f"the probes of {release.name} cannot be read: {error}") from None
    finally:
        run_systemctl("stop", "--no-block", *units, find_socket_unit(release.name))
        run_systemctl("reset-failed", *units)


def await_candidate(unit: str, path: Path, mark: JournalMark) -> None:
    """Return when the candidate answers /readyz with 200.

    Args:
        unit: the candidate.
        path: its unix socket.
        mark: from there on its journal is read for the cause of a failure.

    Raises:
        Failed: it has ended, or it is not ready within CHANGE_TIMEOUT_SECONDS.
    """
    deadline = time.monotonic() + CHANGE_TIMEOUT_SECONDS
    while True:
        # First: a connection to the socket of a candidate that has ended would let systemd start it again.
        if run_systemctl("is-active", "--quiet", unit).returncode != 0:
            raise start_failure(unit, "does not start", mark)
        if (problem := ask_readiness(path)) is None:
            return
        if time.monotonic() > deadline:
            raise readiness_failure(unit, f"does not get ready: {problem}", mark)
        time.sleep(POLL_INTERVAL_SECONDS)
