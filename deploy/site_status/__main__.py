"""The command: `deploy/status` on a host, `python3 -m deploy.site_status --ssh you@host` elsewhere."""

import argparse
import sys
from collections.abc import Sequence

from deploy.doctor.text_report import detect_style
from deploy.remote_program import HostNotReached
from deploy.site_name import SITE
from deploy.site_status.collection import SiteNotFound, SitePaths, collect_status
from deploy.site_status.remote import read_status
from deploy.site_status.report import UNKNOWN
from deploy.site_status.text_report import draw_status

DESCRIPTION = """Prints the status of a site in one screen: its release, health, servers, WebSockets, certificate,
backup, disks, memory, timers, and what is wrong, with the command that mends it. It only reads.

exit codes:
  0 healthy   1 something is wrong   2 the site could not be looked at
"""


def main(command_line: Sequence[str] | None = None) -> int:
    """Run the command. Returns the exit code."""
    parser = argparse.ArgumentParser(
        prog="status", description=DESCRIPTION, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--site", default=SITE, metavar="NAME", help=f"which site of the host (default: {SITE})")
    parser.add_argument("--ssh", default="", metavar="USER@HOST", help="look at that host (default: at this one)")
    parser.add_argument("--json", action="store_true", help="print the status for programs")
    options = parser.parse_args(command_line)
    return show(options.site, destination=options.ssh, as_json=options.json)


def show(site: str, *, destination: str, as_json: bool) -> int:
    """Print the status of a site.

    Args:
        site: its name.
        destination: USER@HOST; "": this machine.
        as_json: whether to print it for programs.

    Returns:
        The exit code.
    """
    try:
        status = read_status(destination, site) if destination else collect_status(SitePaths(site))
    except (HostNotReached, SiteNotFound) as error:
        print(f"status: {error}", file=sys.stderr)
        return UNKNOWN
    print(status.to_json() if as_json else draw_status(status, detect_style()))
    return status.exit_code


if __name__ == "__main__":
    sys.stdout.reconfigure(errors="replace")  # type: ignore[union-attr]  # for terminals without Unicode
    sys.exit(main())
