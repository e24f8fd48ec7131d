"""The command line of `make load`. Each flag has a variable: --connect-rate is LOAD_CONNECT_RATE.

configargparse reads variables as well, but a list only in brackets; LOAD_SLO is a list that is separated by blanks.
"""

import argparse
import importlib
import importlib.util
import os
import re
import secrets
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from loadtest.load.generator_health import MAX_LAG_MS
from loadtest.load.plan import BadPlan, Plan
from loadtest.load.project_socket import ProjectSocket
from loadtest.load.scenarios import OLD_SCENARIO_NAMES, SCENARIOS
from loadtest.load.scenarios.scenario import Scenario
from loadtest.load.sessions import Sessions

DEFAULT_USER = "loadtest.load.users.bundled_chat_user:BundledChatUser"
PROJECT_USER = "loadtest.load.users.project_user:ProjectUser"
QUICK_CONNECT_RATE = 200.0  # sockets a second, with --quick

# Flags of earlier releases; they work until the next one.
RENAMED_FLAGS = {"people": "sessions", "most-lag-ms": "max-lag-ms", "against": "baseline"}
OLD_USERS = {"loadtest.parley_user:ParleyUser": DEFAULT_USER}


class RenamedFlag(argparse.Action):
    """Stores the value of a flag's old name under the new one, and prints what the new name is."""

    def __call__(
        self, parser: argparse.ArgumentParser, namespace: argparse.Namespace, values: Any, option: str | None = None
    ) -> None:
        """Store and warn."""
        setattr(namespace, self.dest, values)
        warn_renamed(f"--{self.const}", f"--{self.dest.replace('_', '-')}")


def warn_renamed(old: str, new: str) -> None:
    """Print that a name has changed."""
    print(f"load: {old} is now called {new}; the old name works until the next release.", file=sys.stderr)


def build_parser(env: Mapping[str, str] = os.environ) -> argparse.ArgumentParser:
    """Return the parser. `env` has the variables."""
    parser = argparse.ArgumentParser(
        prog="python -m loadtest",
        description="Load a chat with WebSocket users, check every delivery, report latencies. Exit "
        "codes: 0 passed; 1 a fault, or a threshold that does not hold; 2 wrong arguments; 3 void, a slow generator.",
        epilog="Each flag has a variable: --connect-rate is LOAD_CONNECT_RATE.",
    )
    scenarios = ", ".join(sorted(SCENARIOS))
    parser.add_argument("scenario", nargs="?", default="fanout", help=f"{scenarios}; default: fanout")
    old_names = {new: old for old, new in RENAMED_FLAGS.items()}

    def add_flag(name: str, help: str, **settings: Any) -> None:
        value = env.get(variable := variable_of(name))
        if (old := old_names.get(name)) and not value and (value := env.get(variable_of(old))):
            warn_renamed(variable_of(old), variable)
        if value:
            kinds: dict[Any, Any] = {"append": value.split(), "store_true": value.lower() in ("1", "true", "yes")}
            settings["default"] = kinds.get(settings.get("action"), value)
        parser.add_argument(f"--{name}", help=help, **settings)
        if old:
            dest = name.replace("-", "_")
            kind: Any = settings.get("type")
            parser.add_argument(f"--{old}", dest=dest, action=RenamedFlag, const=old, type=kind, help=argparse.SUPPRESS)

    add_flag("url", "address of the site; without it, a site is started for this run", metavar="URL")
    add_flag(
        "sessions",
        "sessions made beforehand: what `manage.py load_people` has printed; - is standard input",
        metavar="FILE",
        type=Path,
    )
    add_flag("rooms", "number of rooms", type=int, metavar="N")
    add_flag("members", "sockets in each room", type=int, metavar="N")
    add_flag("rooms-each", "rooms that each socket is in", type=int, metavar="N")
    add_flag("rate", "messages a second and room", type=float, metavar="R")
    add_flag("seconds", "how long users talk (ramp: length of a step)", type=float, metavar="S")
    add_flag("characters", "length of a message", type=int, metavar="N", default=120)
    add_flag("connect-rate", "sockets that connect a second", type=float, metavar="R", default=100.0)
    add_flag("limit", "messages a second that the site lets a socket send", type=float, metavar="R", default=8.0)
    add_flag("budget-ms", "ramp: the p99 of delivery that is allowed", type=float, metavar="MS", default=250.0)
    add_flag(
        "slo", "a threshold, p99_delivery_ms=250; repeat it for more", action="append", metavar="NAME=N", default=[]
    )
    add_flag("max-lag-ms", "p99 by which the generator may be late", type=float, metavar="MS", default=MAX_LAG_MS)
    add_flag("processes", "worker processes on this machine", type=int, metavar="N", default=1)
    add_flag("expect-workers", "worker processes on other machines to wait for", type=int, metavar="N", default=0)
    add_flag("listen", "HOST:PORT for those workers", metavar="ADDRESS", default="127.0.0.1:0")
    add_flag("join", "be a worker of the load test that listens at HOST:PORT", metavar="ADDRESS")
    add_flag("senders", "sockets that send; default: all", type=int, metavar="N", default=0)
    add_flag(
        "project",
        "the socket of a project, as JSON: path, message, subprotocol, origin, cookie; the command `load` writes it",
        type=Path,
        metavar="FILE",
    )
    add_flag("user", "user class: module:Class or file.py:Class", metavar="CLASS", default=DEFAULT_USER)
    add_flag(
        "server-pids",
        "measure a server on this machine: its ready file, or a folder of .pid files",
        type=Path,
        metavar="PATH",
    )
    add_flag(
        "out", "folder for <date>-<scenario>.json and .html", type=Path, metavar="FOLDER", default=Path("var/load")
    )
    add_flag("baseline", "an older result to compare with", type=Path, metavar="JSON")
    add_flag("insecure", "do not check the site's certificate", action="store_true")
    add_flag("quick", "make the run small and short", action="store_true")
    return parser


def variable_of(flag: str) -> str:
    """Return the name of a flag's variable."""
    return "LOAD_" + flag.replace("-", "_").upper()


def parse_options(arguments: Sequence[str] | None = None) -> argparse.Namespace:
    """Parse the command line; exit with code 2 if it is wrong."""
    parser = build_parser()
    options = parser.parse_args(arguments)
    if new := OLD_SCENARIO_NAMES.get(options.scenario):
        warn_renamed(options.scenario, new)
        options.scenario = new
    if options.scenario not in SCENARIOS:
        parser.error(f"there is no scenario {options.scenario!r}; choose from {', '.join(sorted(SCENARIOS))}")
    if new := OLD_USERS.get(options.user):
        warn_renamed(options.user, new)
        options.user = new
    if options.project and options.user == DEFAULT_USER:
        options.user = PROJECT_USER
    return options


def scenario_class(options: argparse.Namespace) -> type[Scenario]:
    """Return the class of the scenario that was asked for."""
    return SCENARIOS[options.scenario]


def build_plan(options: argparse.Namespace, url: str, sessions: Sessions | None, *, verify: bool) -> Plan:
    """Return the plan of a run: the scenario's shape, and what was asked for instead.

    Args:
        options: of the command line.
        url: of the site.
        sessions: made beforehand.
        verify: check the site's certificate.

    Raises:
        BadPlan: the run makes no sense.
    """
    scenario = scenario_class(options)
    site = urlsplit(url)
    if site.scheme not in ("http", "https") or not site.netloc:
        raise BadPlan(f"{url!r} is not the address of a site; https://chat.example.org is one.")
    quick = scenario.quick if options.quick else {}

    def shape(name: str) -> Any:
        asked = getattr(options, name)
        return asked if asked is not None else quick.get(name, getattr(scenario, name))

    rooms, members, each = shape("rooms"), shape("members"), shape("rooms_each")
    if min(rooms, members, each) < 1:
        raise BadPlan("--rooms, --members and --rooms-each are at least 1.")
    found = sessions["rooms"] if sessions else []
    if options.project:
        rooms = 1  # the path of the socket is the room
    names = found[:rooms] if len(found) >= rooms else [f"load-{number:04d}" for number in range(rooms)]
    return Plan(
        scenario=scenario.name,
        url=f"{site.scheme}://{site.netloc}",
        key=secrets.token_hex(8),
        rooms=names,
        sockets=max(1, rooms * members // each),
        rooms_each=each,
        rate=shape("rate"),
        seconds=shape("seconds"),
        characters=options.characters,
        connect_rate=QUICK_CONNECT_RATE if options.quick else options.connect_rate,
        limit=options.limit,
        behaviour=scenario.behaviour,
        verify=verify,
        cookies=sessions["cookies"] if sessions else [],
        senders=min(options.senders, max(1, rooms * members // each)),
        project=read_project(options.project) if options.project else None,
    ).validate()


def read_project(path: Path) -> ProjectSocket:
    """Return the socket that a file describes. Raises BadPlan."""
    try:
        return ProjectSocket.from_file(path)
    except ValueError as error:
        raise BadPlan(str(error)) from error


def import_user_class(path: str) -> type[Any]:
    """Import a user class.

    Args:
        path: `module:Class`, or `file.py:Class`.

    Raises:
        BadPlan: there is no such class.
    """
    module_name, _, name = path.rpartition(":")
    try:
        if module_name.endswith(".py"):
            spec = importlib.util.spec_from_file_location(re.sub(r"\W", "_", module_name), module_name)
            assert spec
            assert spec.loader
            module = importlib.util.module_from_spec(spec)
            sys.modules[spec.name] = module
            spec.loader.exec_module(module)
        else:
            module = importlib.import_module(module_name)
        found: type[Any] = getattr(module, name)
    except (ImportError, AttributeError, OSError, ValueError) as error:
        raise BadPlan(f"There is no user class {path!r}: {error}") from error
    return found


def parse_address(text: str) -> tuple[str, int]:
    """Return the parts of HOST:PORT.

    Raises:
        BadPlan: it is something else.
    """
    host, _, port = text.rpartition(":")
    if not host or not port.isdigit():
        raise BadPlan(f"{text!r} is not HOST:PORT.")
    return host, int(port)
