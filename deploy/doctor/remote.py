"""Runs the doctor on the site's host over ssh.

The doctor's own files are sent along as one zip archive, so the host needs Python alone. Nothing stays there.
"""

import shlex
import subprocess
from pathlib import Path

from deploy import archive
from deploy.doctor.options import OPTIONS_VARIABLE
from deploy.doctor.report import Report

DOCTOR_FOLDER = Path(__file__).parent
CONNECT_TIMEOUT_SECONDS = 10
RUN_TIMEOUT_SECONDS = 60  # for ssh and the doctor on the host
REMOTE_SCRIPT = """
umask 077
file=$(mktemp) && trap 'rm -f "$file"' EXIT && cat >"$file" || exit 1
as=
[ "$(id -u)" = 0 ] || ! sudo -n true 2>/dev/null || as='sudo -n'
$as python3 "$file" {arguments}
"""
MAIN = """
import os, sys
from deploy.doctor.__main__ import main
os.environ[{variable!r}] = {options!r}
sys.exit(main())
"""


class HostNotReached(Exception):
    """The doctor could not run on the host; the text says why."""


def run_over_ssh(destination: str, arguments: list[str], secret_options: str = "") -> Report:
    """Run the doctor on a host and return its report.

    Args:
        destination: USER@HOST, as ssh takes it.
        arguments: the doctor's command line there.
        secret_options: the DOCTOR_OPTIONS there; they are sent inside the archive, so `ps` does not show them.

    Raises:
        HostNotReached: ssh failed, or the doctor did not write a report.
    """
    command = ["ssh", "-o", f"ConnectTimeout={CONNECT_TIMEOUT_SECONDS}", destination]
    command.append(REMOTE_SCRIPT.format(arguments=shlex.join(arguments)))
    try:
        done = subprocess.run(
            command, input=pack_doctor(secret_options), capture_output=True, timeout=RUN_TIMEOUT_SECONDS, check=False
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise HostNotReached(f"ssh {destination}: {error}") from None
    try:
        return Report.from_json(done.stdout.decode())
    except ValueError:
        lines = done.stderr.decode(errors="replace").strip().splitlines() or [f"exit code {done.returncode}"]
        raise HostNotReached(f"ssh {destination}: {lines[-1]}") from None


def pack_doctor(options: str = "") -> bytes:
    """Return the doctor as a zip archive that Python runs, with these DOCTOR_OPTIONS."""
    main = MAIN.format(variable=OPTIONS_VARIABLE, options=options)
    return archive.pack_program([DOCTOR_FOLDER, Path(archive.__file__)], main)
