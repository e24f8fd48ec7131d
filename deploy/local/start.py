"""The steps of `make run`, in order."""

import argparse
import signal
import sys

from deploy.local import certificate, checks, environment, preparation, site
from deploy.local.layout import Layout, WrongVariable
from deploy.local.ready import Announcement
from deploy.local.services import services
from deploy.local.supervisor import Supervisor


def main(description: str) -> int:
    """Return the exit code: 0 after Ctrl-C, 1 when Parley could not be started."""
    parser = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true", help="check this machine, start nothing")
    only_check = parser.parse_args().check

    # Until the supervisor takes over, a polite end is the same as Ctrl-C.
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.default_int_handler)
    try:
        return start(only_check=only_check)
    except KeyboardInterrupt:
        return 0


def start(*, only_check: bool) -> int:
    try:
        layout = Layout.from_environment()
    except WrongVariable as wrong:
        return refuse(wrong.problems)
    env = environment.for_children(layout)
    settings, problems = checks.run(layout, env)
    if problems:
        return refuse(problems)
    if only_check:
        print("This machine is ready for `make run`.")
        return 0

    layout.make_folders()
    with checks.sole_user_of(layout) as alone:
        if not alone:
            return refuse([f"Parley is already running in {layout.var}: stop that one first."])
        env |= environment.write_missing(layout, env)
        certificate.renew(layout)
        site.assemble(layout, static_root=settings.static_root)
        problems = preparation.prepare_site(layout, env)
        if problems:
            return refuse(problems)
        return Supervisor(services(layout, env), layout.run, Announcement(layout, host=settings.host)).run()


def refuse(problems: list[str]) -> int:
    for problem in problems:
        print(f"parley: {problem}", file=sys.stderr)
    return 1
