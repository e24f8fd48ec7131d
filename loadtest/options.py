"""Flags, each with a variable: --connect-rate is LOAD_CONNECT_RATE. A scenario has the defaults of its shape."""

import argparse
import os
import re
import secrets
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from loadtest.generator import MOST_LAG_MS
from loadtest.plan import BadPlan, Plan
from loadtest.scenarios import SCENARIOS
from loadtest.scenarios.scenario import Scenario

USER = "loadtest.parley_user:ParleyUser"
QUICK_CONNECT_RATE = 200.0


def parser(env: Mapping[str, str] = os.environ) -> argparse.ArgumentParser:
    made = argparse.ArgumentParser(
        prog="python -m loadtest",
        description="Load a chat, check every delivery, and say how it was. Exit codes: 0 passed, 1 a threshold does "
        "not hold, 2 asked wrongly, 3 void: the generator was too slow to tell.",
        epilog="Each flag has a variable: --connect-rate is LOAD_CONNECT_RATE.",
    )
    made.add_argument("scenario", nargs="?", choices=sorted(SCENARIOS), default="fanout", help="default: fanout")

    def flag(name: str, help: str, **how: Any) -> None:
        variable = "LOAD_" + name.replace("-", "_").upper()
        if value := env.get(variable):
            kinds: dict[Any, Any] = {"append": value.split(), "store_true": value.lower() in ("1", "true", "yes")}
            how["default"] = kinds.get(how.get("action"), value)
        made.add_argument(f"--{name}", help=help, **how)

    flag("url", "of the site, https://chat.example.org; without it a stack of its own is started", metavar="URL")
    flag(
        "people",
        "people made ahead: what `manage.py load_people` has printed; -: standard input",
        metavar="FILE",
        type=Path,
    )
    flag("rooms", "how many", type=int, metavar="N")
    flag("members", "sockets in each room", type=int, metavar="N")
    flag("rooms-each", "rooms that each socket is in", type=int, metavar="N")
    flag("rate", "messages a second and room", type=float, metavar="R")
    flag("seconds", "of talk (ramp: of a step)", type=float, metavar="S")
    flag("characters", "of a message", type=int, metavar="N", default=120)
    flag("connect-rate", "sockets a second that come in", type=float, metavar="R", default=100.0)
    flag("limit", "messages a second that the site lets a socket send", type=float, metavar="R", default=8.0)
    flag("budget-ms", "ramp: what p99 of delivery may be", type=float, metavar="MS", default=250.0)
    flag("slo", "a threshold, p99_delivery_ms=250; again for more", action="append", metavar="NAME=N", default=[])
    flag("most-lag-ms", "by which the generator may be late at p99", type=float, metavar="MS", default=MOST_LAG_MS)
    flag("processes", "worker processes on this machine", type=int, metavar="N", default=1)
    flag("expect-workers", "worker processes on other machines to wait for", type=int, metavar="N", default=0)
    flag("listen", "where those connect to, HOST:PORT", metavar="ADDRESS", default="127.0.0.1:0")
    flag("join", "be a worker of the load test that listens at HOST:PORT; says nothing else", metavar="ADDRESS")
    flag("user", "who to be: module:Class or file.py:Class", metavar="CLASS", default=USER)
    flag("server-pids", "of a server on this machine: its ready file or a folder of .pid files", type=Path)
    flag("out", "where results go: <date>-<scenario>.json and .html", type=Path, default=Path("var/load"))
    flag("against", "an older result to compare with", type=Path, metavar="JSON")
    flag("insecure", "do not check the site's certificate", action="store_true")
    flag("quick", "small and short", action="store_true")
    return made


def scenario_of(options: argparse.Namespace) -> type[Scenario]:
    return SCENARIOS[options.scenario]


def plan_of(options: argparse.Namespace, url: str, people: dict[str, Any] | None, *, verify: bool) -> Plan:
    """Raises BadPlan."""
    scenario = scenario_of(options)
    site = urlsplit(url)
    if site.scheme not in ("http", "https") or not site.netloc:
        raise BadPlan(f"{url!r} is not the address of a site; https://chat.example.org is one.")

    def shape(name: str) -> Any:
        asked = getattr(options, name)
        return (
            asked if asked is not None else (scenario.quick if options.quick else {}).get(name, vars_of(scenario, name))
        )

    rooms, members, each = shape("rooms"), shape("members"), shape("rooms_each")
    if min(rooms, members, each) < 1:
        raise BadPlan("--rooms, --members and --rooms-each are at least 1.")
    found = (people or {}).get("rooms", [])
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
        cookies=(people or {}).get("cookies", []),
    ).checked()


def vars_of(scenario: type[Scenario], name: str) -> Any:
    return getattr(scenario, name)


def user_class(path: str) -> type[Any]:
    """`module:Class`, or the path of a file. Raises BadPlan."""
    import importlib.util  # noqa: PLC0415

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
        raise BadPlan(f"There is no user {path!r}: {error}") from error
    return found


def address(text: str) -> tuple[str, int]:
    """HOST:PORT. Raises BadPlan."""
    host, _, port = text.rpartition(":")
    if not host or not port.isdigit():
        raise BadPlan(f"{text!r} is not HOST:PORT.")
    return host, int(port)


def parsed(arguments: Sequence[str] | None = None) -> argparse.Namespace:
    return parser().parse_args(arguments)
