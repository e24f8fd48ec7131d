"""The command load: a load test of the project's sockets. The load test itself is loadtest/."""

import argparse
import importlib.util
import json
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from deploy.cli.app import add_app, load_app
from deploy.doctor.options import COOKIE_VARIABLE
from deploy.local.checks import refuse
from deploy.local.instance import LocalInstance, StartFailed
from deploy.local.layout import REPO
from deploy.local.state_folder import claim_state_folder
from deploy.local.steps import Steps
from deploy.manifest import Manifest
from deploy.private_file import write_private
from deploy.program import PROGRAM

HELP = "open many WebSockets, send messages, and prove that each one reached every connection once"
DESCRIPTION = f"""\
{HELP[0].upper()}{HELP[1:]}.

All connections open `path` of [load] in stack.toml, by default `probe`, with the subprotocol, origin and cookie of
[doctor]. Some of them send `message`, in which {{text}} becomes a text that is recognized in any frame. Without
`message` the connections only stay open. What the site sends must contain the text as it was sent.

Without --url the project is started for this test, as the command run does, with free ports and an empty database, and
is stopped afterwards. Load other people's sites only with their permission.

variables:
  {COOKIE_VARIABLE}   the header Cookie, such as sessionid=..., in place of `cookie` in stack.toml
  LOAD_UNPINNED=1        do not give the load test a core of its own
"""
EXAMPLES = f"""\
examples:
  {PROGRAM} load ~/mysite
  {PROGRAM} load ~/mysite --connections 500 --rate 20 --seconds 60
  {PROGRAM} load ~/mysite --url https://chat.example.org

exit codes:
  0 nothing was lost   1 a message was lost, repeated or invented, or a connection was refused or closed
  64 wrong arguments   130 interrupted
"""
DEFAULT_CONNECTIONS = 50
DEFAULT_RATE = 5.0  # messages a second
DEFAULT_SECONDS = 10.0
DEFAULT_CHARACTERS = 60  # of a message: some projects limit the length
MAX_SENDERS = 10
MAX_RATE_OF_SENDER = 8.0  # messages a second: a project may limit a socket, too
CONNECT_RATE = 50  # connections opened a second
START_TIMEOUT_SECONDS = 600  # the packages are installed, and the project is built
DROPPED_VARIABLES = ("DATABASE_URL", "REDIS_URL", "ALLOWED_HOSTS")  # a test leaves the developer's own data alone
MODULES = ("locust", "hdrh", "msgspec", "psutil")  # that loadtest/ imports and this program does not need itself
LOAD_VARIABLES = ("LOAD_SESSIONS", "LOAD_USER", "LOAD_JOIN", "LOAD_URL")  # of another load test in this terminal
IS_VOID = 3  # exit code of `python -m loadtest`
USAGE_ERROR = 64  # EX_USAGE of sysexits.h


@dataclass(frozen=True)
class Target:
    """The site that is loaded.

    Attributes:
        url: its address.
        options: more options of `python -m loadtest` for it.
    """

    url: str
    options: tuple[str, ...] = ()


def add_to(commands: Any) -> None:
    """Add the command to the program."""
    parser = commands.add_parser(
        "load",
        help=HELP,
        description=DESCRIPTION,
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add_app(parser)
    add = parser.add_argument
    add("--url", type=read_url, help="a running site; without it, the project is started for this test")
    add("--connections", type=count, default=DEFAULT_CONNECTIONS, metavar="N", help="default: %(default)s")
    add("--rate", type=positive, default=DEFAULT_RATE, metavar="R", help="messages a second (default: %(default)g)")
    add("--seconds", type=positive, default=DEFAULT_SECONDS, metavar="S", help="how long (default: %(default)g)")
    add("--characters", type=count, default=DEFAULT_CHARACTERS, metavar="N", help="of a message (%(default)s)")
    add("--insecure", action="store_true", help="with --url: do not check the site's certificate")
    add("--out", type=Path, metavar="FOLDER", help="of the results, JSON and HTML (default: in the state folder)")
    parser.set_defaults(command=run)


def read_url(text: str) -> str:
    """Return the address of a site without a path. Raises ArgumentTypeError."""
    scheme, _, rest = text.partition("://")
    host = rest.partition("/")[0]
    if scheme not in ("http", "https") or not host:
        raise argparse.ArgumentTypeError(f"{text!r} is not the address of a site, such as https://chat.example.org")
    return f"{scheme}://{host}"


def count(text: str) -> int:
    """Return a whole number of at least 1. Raises ArgumentTypeError."""
    if not text.isdigit() or not int(text):
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of at least 1")
    return int(text)


def positive(text: str) -> float:
    """Return a number above 0. Raises ArgumentTypeError."""
    try:
        number = float(text)
    except ValueError:
        number = 0.0
    if not 0 < number < float("inf"):
        raise argparse.ArgumentTypeError(f"{text!r} is not a number above 0")
    return number


def run(options: argparse.Namespace) -> int:
    """Run the load test. Returns the exit code."""
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.default_int_handler)  # as Ctrl-C: what was started is stopped
    if options.rate > options.connections * MAX_RATE_OF_SENDER:
        refuse(
            [
                f"--rate {options.rate:g} is more than {MAX_RATE_OF_SENDER:g} messages a second for each of"
                f" {options.connections} connections: take a lower --rate or more --connections"
            ]
        )
        return USAGE_ERROR
    if missing := [name for name in MODULES if importlib.util.find_spec(name) is None]:
        return refuse([f"the load test lacks {', '.join(missing)}: install the program as {PROGRAM}[load]"])
    manifest = load_app(options.app)
    if not (manifest.load.path or manifest.probe):
        return refuse([f"no socket of {manifest.name} is known: set path in [load] of stack.toml"])
    out = (options.out or claim_state_folder(manifest).path / "load").absolute()
    try:
        with find_target(options, Steps(f"starting {manifest.name} for this test")) as target:
            return run_loadtest(manifest, options, target, out)
    except StartFailed as failed:
        return refuse([f"{manifest.name} did not start; its last output:\n{str(failed)[-3000:]}"])


@contextmanager
def find_target(options: argparse.Namespace, steps: Steps) -> Iterator[Target]:
    """Yield the site at --url, or one that is started for this test and stopped afterwards. Raises StartFailed."""
    if options.url:
        yield Target(options.url, ("--insecure",) if options.insecure else ())
        return
    environment = {name: value for name, value in os.environ.items() if name not in DROPPED_VARIABLES}
    command = [sys.executable, "-m", "deploy.cli", "run", absolute(options.app)]
    # No visitor is connected any more when it stops, so it does not drain.
    site = LocalInstance(environment | {"DRAIN_SECONDS": "0"}, command, START_TIMEOUT_SECONDS)
    with steps:
        site.start()
    try:
        yield Target(site.url, ("--insecure", "--server-pids", str(site.ready)))
    finally:
        site.stop()


def absolute(app: str) -> str:
    """Return APP as another working directory has to name it."""
    path = Path(app).expanduser()
    return str(path.absolute()) if path.exists() else app


def run_loadtest(manifest: Manifest, options: argparse.Namespace, target: Target, out: Path) -> int:
    """Run `python -m loadtest` on a site. Returns the exit code of this command."""
    senders = min(options.connections, max(MAX_SENDERS, int(-(-options.rate // MAX_RATE_OF_SENDER))))
    with tempfile.TemporaryDirectory(prefix=f"{PROGRAM}-") as folder:
        file = Path(folder) / "socket.json"
        write_private(file, json.dumps(describe_socket(manifest)))
        shape = {"members": options.connections, "senders": senders, "rate": options.rate, "seconds": options.seconds}
        shape |= {"characters": options.characters, "connect-rate": CONNECT_RATE}
        command = [sys.executable, "-m", "loadtest", "fanout" if manifest.load.message else "idle"]
        command += ["--project", str(file), "--url", target.url, "--out", str(out), "--slo", "closed=0"]
        command += [word for name, value in shape.items() for word in (f"--{name}", f"{value:g}")]
        environment = {name: value for name, value in os.environ.items() if name not in LOAD_VARIABLES}
        ended = subprocess.run([*command, *target.options], cwd=REPO, env=environment, check=False)
    # Void: nothing was lost, but the load test itself was short of CPU. The summary says that its latencies are void.
    return 0 if ended.returncode == IS_VOID else ended.returncode


def describe_socket(manifest: Manifest) -> dict[str, str]:
    """Return the fields of loadtest.load.project_socket.ProjectSocket."""
    return {
        "path": manifest.load.path or manifest.probe,
        "message": manifest.load.message,
        "subprotocol": manifest.doctor.subprotocol,
        "origin": manifest.doctor.origin,
        "cookie": os.environ.get(COOKIE_VARIABLE) or manifest.doctor.cookie,
    }
