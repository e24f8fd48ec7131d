"""Runs the doctor on the site's host over ssh.

The doctor's own files are sent along as one zip archive, so the host needs Python alone. Nothing stays there.
"""

from pathlib import Path

from deploy import archive, remote_program
from deploy.doctor.options import OPTIONS_VARIABLE
from deploy.doctor.report import Report
from deploy.remote_program import HostNotReached

__all__ = ["HostNotReached", "run_over_ssh"]

DOCTOR_FOLDER = Path(__file__).parent
MAIN = """
import os, sys
from deploy.doctor.__main__ import main
os.environ[{variable!r}] = {options!r}
sys.exit(main())
"""


def run_over_ssh(destination: str, arguments: list[str], secret_options: str = "") -> Report:
    """Run the doctor on a host and return its report.

    Args:
        destination: USER@HOST, as ssh takes it.
        arguments: the doctor's command line there.
        secret_options: the DOCTOR_OPTIONS there; they are sent inside the archive, so `ps` does not show them.

    Raises:
        HostNotReached: ssh failed, or the doctor did not write a report.
    """
    ended = remote_program.run_program(destination, pack_doctor(secret_options), arguments)
    try:
        return Report.from_json(ended.stdout.decode())
    except ValueError:
        raise remote_program.describe_failure(destination, ended) from None


def pack_doctor(options: str = "") -> bytes:
    """Return the doctor as a zip archive that Python runs, with these DOCTOR_OPTIONS."""
    main = MAIN.format(variable=OPTIONS_VARIABLE, options=options)
    return archive.pack_program([DOCTOR_FOLDER, Path(archive.__file__), Path(remote_program.__file__)], main)
