"""The steps of `make run`, in order."""

import argparse
import signal
import sys

from deploy.local import certificate, checks, environment, preparation, site
from deploy.local.checks import refuse, report_former_names
from deploy.local.layout import REPO, Layout, WrongVariable
from deploy.local.readiness import Announcement
from deploy.local.services import Application, build_services
from deploy.local.supervisor import Supervisor


def main(description: str) -> int:
    """Run `make run` with the arguments of the command line; `description` is the text of --help.

    Returns:
        The exit code: 0 after Ctrl-C, 1 when the site could not be started.
    """
    parser = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true", help="check this machine, start nothing")
    only_check = parser.parse_args().check

    # Until the supervisor handles them, these signals are the same as Ctrl-C.
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.default_int_handler)
    report_former_names()
    try:
        return start(only_check=only_check)
    except KeyboardInterrupt:
        return 0


def start(*, only_check: bool) -> int:
    """Check this machine, prepare the site and run it until it is stopped. Return the exit code."""
    try:
        layout = Layout.from_environment()
    except WrongVariable as wrong:
        return refuse(wrong.problems)
    env = environment.build_environment(layout)
    settings, problems = checks.run_checks(layout, env)
    if problems:
        return refuse(problems)
    if only_check:
        print("This machine is ready for `make run`.")
        return 0

    layout.make_folders()
    with checks.lock_folder(layout) as is_locked:
        if not is_locked:
            return refuse([f"the chat is already running in {layout.var}: stop that run first."])
        env |= environment.write_secret_key(layout, env)
        certificate.renew(layout)
        site.assemble(layout, static_root=settings.static_root)
        chat = Application(
            title="Parley",
            python=sys.executable,
            folder=REPO / "app",
            env=env,
            wsgi="config.wsgi:application",
            asgi="config.asgi:application",
        )
        problems = preparation.prepare_site(layout, chat)
        if problems:
            return refuse(problems)
        services = build_services(layout, chat, redis=layout.owns_redis(env))
        return Supervisor(services, layout.run, Announcement(layout, title=chat.title, host=settings.host)).run()
