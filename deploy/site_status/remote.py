"""Asks a host for the status of a site over ssh. The program is sent along, so the host needs Python alone."""

from deploy import archive, remote_program
from deploy.site_status.report import SiteStatus

SENT_FILES = (
    "doctor",
    "failure_cause.py",
    "journal.py",
    "processes.py",
    "site_name.py",
    "site_status",
    "unix_http.py",
    "archive.py",
    "remote_program.py",
    "program.py",
)
MAIN = "import sys\nfrom deploy.site_status.__main__ import main\nsys.exit(main())\n"


def read_status(destination: str, site: str) -> SiteStatus:
    """Return the status of a site.

    Args:
        destination: USER@HOST, as ssh takes it.
        site: the site's name.

    Raises:
        HostNotReached: ssh failed, or the host has no such site.
    """
    ended = remote_program.run_program(destination, pack_status(), ["--json", "--site", site])
    try:
        return SiteStatus.from_json(ended.stdout.decode())
    except ValueError:
        raise remote_program.describe_failure(destination, ended) from None


def pack_status() -> bytes:
    """Return the program as a zip archive that Python runs."""
    return archive.pack_program([archive.DEPLOY / name for name in SENT_FILES], MAIN)
