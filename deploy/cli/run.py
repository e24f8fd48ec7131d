"""The command run: the project on this machine."""

import argparse
import signal
from typing import Any

from deploy.cli.app import add_app, load_app
from deploy.local import guest
from deploy.program import PROGRAM

HELP = "run the project on this machine: nginx with TLS, gunicorn, two daphnes, Redis, a database; Ctrl-C stops it"
DESCRIPTION = f"""\
{HELP[0].upper()}{HELP[1:]}.

The project's folder is only read: a copy of it, its packages and its data are in ~/.local/state/{PROGRAM}/NAME
($XDG_STATE_HOME/{PROGRAM}/NAME), or NAME-HASH where another project of that name has NAME. Remove that folder to
start anew. The database is a file of SQLite; a project that works with PostgreSQL alone gets a PostgreSQL of its own,
in that folder as well (Debian's package postgresql).

variables:
  HTTPS_PORT, HTTP_PORT   where to listen (8443, 8080)
  DATABASE_URL            another database than the run's own
  REDIS_URL               another Redis than the one that is started
  STACK_READY_FILE        a file for addresses, process ids and sockets, as JSON, once the site answers

examples:
  {PROGRAM} run ~/mysite
  {PROGRAM} run https://github.com/you/mysite@0f5c1e7d9b3a8642f0e1d2c3b4a5968778695a4b
  HTTPS_PORT=9443 HTTP_PORT=9080 {PROGRAM} run ~/mysite
"""


def add_to(commands: Any) -> None:
    """Add the command to the program."""
    parser = commands.add_parser(
        "run", help=HELP, description=DESCRIPTION, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add_app(parser)
    parser.add_argument("--check", action="store_true", help="check the manifest and this machine, start nothing")
    parser.set_defaults(command=run)


def run(options: argparse.Namespace) -> int:
    """Run the project until a signal. Returns the exit code: 0 after Ctrl-C, 1 when it could not be started."""
    # Until the supervisor handles them, these signals are the same as Ctrl-C.
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.default_int_handler)
    return guest.start(load_app(options.app), only_check=options.check)
