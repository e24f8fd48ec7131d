#!/usr/bin/env python3
"""Prepare a release: the one list of steps that hosts, containers, platforms and `make run` share.

The steps run in this order, before the release serves and while the release before it may still be serving from the
same database:

    import_servers          import the application in each server, as a start would
    check_migrations        refuse migrations on which the release before could not run; an empty database passes
    migrate                 apply the migrations
    create_cache_table      create the table of Django's database cache
    collect_static_files    copy the static files, each with its content's hash in its name, to STATIC_ROOT
    probe_signed_in         ask the manifest's probes with `signed_in`, as a user of a transaction that is rolled back

The first step that fails ends the command with exit code 1 and one sentence; the steps after it do not run.

For a project with a manifest (SITE_FILE is set) the command runs in the project's own folder. check_migrations is left
out: a project need not know its rules. Apps without migrations get their tables, as under runserver.

Callers: deploy/pre-release (a host), docker/entrypoint (containers), deploy/platform.sh (platforms of one command),
deploy/local/preparation.py (`make run`).
"""

import argparse
import contextlib
import io
import json
import os
import subprocess
import sys
import tomllib
import traceback
from collections.abc import Callable, Collection
from dataclasses import dataclass
from pathlib import Path

import django
from django.apps import apps
from django.core.exceptions import ImproperlyConfigured
from django.core.management import CommandError, call_command
from django.db import Error, connection

IS_PROJECT = "SITE_FILE" in os.environ
APP = Path.cwd() if IS_PROJECT else Path(__file__).resolve().parent.parent / "app"
MODULES = "channels_stack" if IS_PROJECT else "config"  # has the modules settings, wsgi and asgi
GUNICORN_CONFIG = Path(__file__).resolve().with_name("gunicorn.conf.py")

# Migrations of other packages, as "app.name", that check_migrations refuses although they are safe; the developer who
# upgrades the package decides that. A migration of the chat says so itself (`manage.py check_migrations --help`).
ACCEPTED_MIGRATIONS: tuple[str, ...] = ()

# Each starts a server far enough to import the application, and ends.
IMPORT_COMMANDS = (
    ("gunicorn", "--check-config", "--config", str(GUNICORN_CONFIG), f"{MODULES}.wsgi:application"),
    ("channels_realtime.server", "--help"),
    ("gunicorn", "--check-config", f"{MODULES}.asgi:application"),
)


class StepFailed(Exception):
    """A step refused the release. The text is a sentence for the operator."""


@dataclass(frozen=True)
class Step:
    """One step of a release. `run` takes the verbosity (0: silent, 1: progress) and raises StepFailed."""

    name: str
    run: Callable[[int], None]


def import_servers(verbosity: int) -> None:
    """Import the application as gunicorn and daphne will, each in a process of its own.

    Raises:
        StepFailed: a server cannot import it. What the server printed is on stderr.
    """
    for module, *arguments in IMPORT_COMMANDS:
        command = [sys.executable, "-m", module, *arguments]
        ended = subprocess.run(command, cwd=APP, stdout=subprocess.DEVNULL, check=False)
        if ended.returncode != 0:
            shown = " ".join((module, *arguments))
            raise StepFailed(f"{shown!r} ended with exit code {ended.returncode}; its output is above")


def check_migrations(verbosity: int) -> None:
    """Refuse migrations, not yet applied, on which the release before could not run.

    Raises:
        StepFailed: names each such migration and the reason, one a line.
    """
    run_command("check_migrations", verbosity, accept=list(ACCEPTED_MIGRATIONS))


def migrate(verbosity: int) -> None:
    """Apply the migrations, and create the tables of a project's apps without migrations. Raises StepFailed."""
    run_command("migrate", verbosity, interactive=False, run_syncdb=IS_PROJECT)


def create_cache_table(verbosity: int) -> None:
    """Create the table of Django's database cache where it is missing. Raises StepFailed."""
    run_command("createcachetable", verbosity)


def collect_static_files(verbosity: int) -> None:
    """Add this release's static files to STATIC_ROOT; those of earlier releases stay. Raises StepFailed."""
    if IS_PROJECT:
        django.setup()
        if not apps.is_installed("django.contrib.staticfiles"):
            return
    run_command("collectstatic", 0, interactive=False)


def probe_signed_in(verbosity: int) -> None:
    """Ask the pages of the manifest's probes that have `signed_in`.

    Raises:
        StepFailed: one is not answered by its status. The exception is on stderr.
    """
    probes = read_probes()
    if not any(isinstance(probe, dict) and probe.get("signed_in") for probe in probes):
        return
    try:
        django.setup()
        from channels_stack.signed_in_probes import find_failure  # noqa: PLC0415  it needs the settings

        failure = find_failure(probe for probe in probes if isinstance(probe, dict))
    except Error as error:
        raise StepFailed(f"no user could be made for the probes: {' '.join(str(error).split())}") from None
    if failure:
        raise StepFailed(failure)


def read_probes() -> list[object]:
    """Return the field `probes` of the manifest, or of the site description of a project."""
    if IS_PROJECT:
        fields = json.loads(Path(os.environ["SITE_FILE"]).read_text())
    else:
        fields = tomllib.loads((APP / "stack.toml").read_text())
    return list(fields.get("probes", []))


STEPS = (
    Step("import_servers", import_servers),
    *(() if IS_PROJECT else (Step("check_migrations", check_migrations),)),
    Step("migrate", migrate),
    Step("create_cache_table", create_cache_table),
    Step("collect_static_files", collect_static_files),
    Step("probe_signed_in", probe_signed_in),
)


def run_command(name: str, verbosity: int, **options: object) -> None:
    """Run a manage.py command in this process: importing Django takes longer than most commands.

    Raises:
        StepFailed: the command, the settings or the database refused.
    """
    silent = contextlib.redirect_stdout(io.StringIO()) if verbosity == 0 else contextlib.nullcontext()
    try:
        with silent:
            django.setup()  # the first call imports the settings and the apps, later ones do nothing
            call_command(name, verbosity=verbosity, **options)
    except (CommandError, ImproperlyConfigured) as refused:
        raise StepFailed(str(refused)) from None
    except Error as error:
        if verbosity:
            traceback.print_exc()  # which migration, and which statement of it
        database = connection.settings_dict["NAME"]
        raise StepFailed(f"the database {database} cannot be used: {' '.join(str(error).split())}") from None


def run_steps(*, skip: Collection[str] = (), verbosity: int = 1) -> None:
    """Run all steps but those named in `skip`, in order. Raises StepFailed with the name of the step."""
    for step in STEPS:
        if step.name in skip:
            continue
        if verbosity:
            print(f"release: running the step {step.name}", flush=True)
        try:
            step.run(verbosity)
        except StepFailed as failed:
            raise StepFailed(f"the release step {step.name} failed: {failed}") from None


def main() -> int:
    """Return the exit code: 0 when every step is done, 1 when one failed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    names = [step.name for step in STEPS]
    parser.add_argument("--skip", action="append", default=[], choices=names, metavar="STEP", help="leave it out")
    parser.add_argument("--quiet", action="store_true", help="print nothing but the reason of a failure")
    options = parser.parse_args()

    sys.path[0] = str(APP)  # imports start where manage.py is, not beside this file
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", f"{MODULES}.settings")
    try:
        run_steps(skip=options.skip, verbosity=0 if options.quiet else 1)
    except StepFailed as failed:
        print(failed, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
