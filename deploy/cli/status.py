"""The command status: a site on a host in one screen, over ssh."""

import argparse
from typing import Any

from deploy.cli.app import add_app, load_app
from deploy.cli.up import is_chat
from deploy.program import PROGRAM
from deploy.site_name import CHAT
from deploy.site_status.__main__ import show

HELP = "print the status of the site on its host in one screen, and what is wrong"
DESCRIPTION = f"""\
{HELP[0].upper()}{HELP[1:]}: the releases, the health checks, the servers and their open WebSockets, the
certificate, the last backup, disks, memory and timers. It only reads. The host needs nothing but Python.

exit codes:
  0 healthy   1 something is wrong   2 the host could not be looked at

examples:
  {PROGRAM} status ~/mysite --host you@host
  {PROGRAM} status ~/mysite --host you@host --json | jq .problems
"""


def add_to(commands: Any) -> None:
    """Add the command to the program."""
    parser = commands.add_parser(
        "status", help=HELP, description=DESCRIPTION, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add_app(parser)
    parser.add_argument("--host", required=True, help="USER@ADDRESS, where USER may use sudo without a password")
    parser.add_argument("--json", action="store_true", help="print the status for programs")
    parser.set_defaults(command=run)


def run(options: argparse.Namespace) -> int:
    """Print the status. Returns the exit code."""
    site = CHAT if is_chat(options.app) else load_app(options.app).name
    return show(site, destination=options.host, as_json=options.json)
