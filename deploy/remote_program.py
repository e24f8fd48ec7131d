"""Runs a program on a host over ssh: a zip archive (deploy/archive.py), so the host needs Python alone.

It runs as root where the user may use sudo without a password. Nothing stays on the host.
"""

import shlex
import subprocess
from collections.abc import Sequence

CONNECT_TIMEOUT_SECONDS = 10
RUN_TIMEOUT_SECONDS = 60  # for ssh and the program on the host
REMOTE_SCRIPT = """
umask 077
file=$(mktemp) && trap 'rm -f "$file"' EXIT && cat >"$file" || exit 1
as=
[ "$(id -u)" = 0 ] || ! sudo -n true 2>/dev/null || as='sudo -n'
$as python3 "$file" {arguments}
"""


class HostNotReached(Exception):
    """The program could not run on the host; the text says why."""


def run_program(destination: str, archive: bytes, arguments: Sequence[str]) -> subprocess.CompletedProcess[bytes]:
    """Run a program on a host and return its result, whatever the exit code is.

    Args:
        destination: USER@HOST, as ssh takes it.
        archive: the program, as `archive.pack_program` returns it.
        arguments: its command line there.

    Raises:
        HostNotReached: ssh is not installed, or there was no end within RUN_TIMEOUT_SECONDS.
    """
    command = ["ssh", "-o", f"ConnectTimeout={CONNECT_TIMEOUT_SECONDS}", destination]
    command.append(REMOTE_SCRIPT.format(arguments=shlex.join(arguments)))
    try:
        return subprocess.run(command, input=archive, capture_output=True, timeout=RUN_TIMEOUT_SECONDS, check=False)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise HostNotReached(f"ssh {destination}: {error}") from None


def describe_failure(destination: str, ended: subprocess.CompletedProcess[bytes]) -> HostNotReached:
    """Return the error of a program that did not print what it should: its last line, or its exit code."""
    lines = ended.stderr.decode(errors="replace").strip().splitlines() or [f"exit code {ended.returncode}"]
    return HostNotReached(f"ssh {destination}: {lines[-1]}")
