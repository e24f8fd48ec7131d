"""The commands deploy, rollback, backup, restore, rotate and remove: a project on a host, by Ansible."""

import argparse
import json
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import replace
from getpass import getpass
from pathlib import Path
from typing import Any

from deploy.cli.app import add_app, load_app
from deploy.host_variables import write_variables
from deploy.local.checks import refuse
from deploy.local.project import ProjectFailed
from deploy.local.steps import Steps
from deploy.manifest import Manifest
from deploy.playbooks import NoAnsible, run_playbook
from deploy.private_file import write_private
from deploy.program import PROGRAM
from deploy.site_context import to_fields

HELP = {
    "deploy": "set up a bare Debian or Ubuntu host for the project, or deploy its next release",
    "rollback": "return to the release that served before this one, within seconds",
    "backup": "back up the database and the uploaded files now, besides the nightly backups",
    "restore": "replace the database and the uploaded files by a backup",
    "rotate": "change the site's secret key; nobody is signed out",
    "remove": "take the project off the host; other sites on it go on",
}
EXAMPLES = {
    "deploy": f"{PROGRAM} deploy ~/mysite --host you@host --domain chat.example.org --email you@example.org",
    "rollback": f"{PROGRAM} rollback ~/mysite --host you@host",
    "backup": f"{PROGRAM} backup ~/mysite --host you@host",
    "restore": f"{PROGRAM} restore ~/mysite --host you@host --backup mysite-20261129T031500Z.dump",
    "rotate": f"{PROGRAM} rotate ~/mysite --host you@host",
    "remove": f"{PROGRAM} remove ~/mysite --host you@host",
}


def add_to(commands: Any) -> None:
    """Add the six commands to the program."""
    functions: dict[str, Callable[[argparse.Namespace], int]] = {
        "deploy": deploy,
        "rollback": rollback,
        "backup": backup,
        "restore": restore,
        "rotate": rotate,
        "remove": remove,
    }
    for name, text in HELP.items():
        parser = commands.add_parser(
            name,
            help=text,
            description=f"{text[0].upper()}{text[1:]}.",
            epilog=f"example:\n  {EXAMPLES[name]}",
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )
        add_app(parser)
        parser.add_argument("--host", required=True, help="USER@ADDRESS, where USER may use sudo, or an inventory file")
        if name == "deploy":
            parser.add_argument("--domain", default="", help="the name of the site (default: domain in stack.toml)")
            parser.add_argument("--email", default="", help="where the certificate authority writes")
            parser.add_argument("--version", default="", help="the name of the release (default: from its content)")
            parser.add_argument("--check", action="store_true", help="look at the host and change nothing")
            parser.add_argument(
                "--diff", action="store_true", help="show each change that it would make; change nothing"
            )
        if name == "restore":
            parser.add_argument("--backup", required=True, help="a backup on the host by its name, or a local file")
        if name == "rotate":
            parser.add_argument(
                "--end-sessions", action="store_true", help="sign everybody out: for a key that others know"
            )
        if name == "remove":
            parser.add_argument("--yes", action="store_true", help="do not ask")
        parser.add_argument("-K", "--ask-become-pass", action="store_true", help="ask for the password that sudo wants")
        parser.add_argument("-e", action="append", default=[], metavar="NAME=VALUE", help="a variable for Ansible")
        parser.set_defaults(command=functions[name], password="")


def deploy(options: argparse.Namespace) -> int:
    """Look at the host; copy, lock and build the project here; then set up the host and switch to the release."""
    manifest = load_app(options.app)
    manifest = replace(manifest, domain=options.domain or manifest.domain)
    if not manifest.domain:
        return refuse(["name the site: --domain chat.example.org, or domain in stack.toml"])

    def fill_look(file: Path) -> None:
        fields = {"site_manifest": to_fields(manifest), "site_domain": manifest.domain, "site_email": options.email}
        write_private(file, json.dumps({**fields, "site_only_looks": True}))

    def fill(file: Path) -> None:
        with Steps() as steps:
            write_variables(manifest, file, email=options.email, version=options.version, report=steps)

    # Before the project is built: that takes longer than to find out that the host cannot work.
    if (code := play("preflight", options, fill_look)) or options.check:
        return code
    return play("site", options, fill, ["--check", "--diff"] if options.diff else [])


def rollback(options: argparse.Namespace) -> int:
    """Return to the release before."""
    return play("rollback", options, name_site(load_app(options.app)))


def backup(options: argparse.Namespace) -> int:
    """Make a backup on the host."""
    return play("backup", options, name_site(load_app(options.app)))


def restore(options: argparse.Namespace) -> int:
    """Replace the data by a backup."""
    return play("restore", options, name_site(load_app(options.app)), ["-e", f"site_backup={options.backup}"])


def rotate(options: argparse.Namespace) -> int:
    """Change the secret key."""
    variable = f"site_end_sessions={str(options.end_sessions).lower()}"
    return play("rotate", options, name_site(load_app(options.app)), ["-e", variable])


def remove(options: argparse.Namespace) -> int:
    """Remove the project from the host, after a question."""
    manifest = load_app(options.app)
    if not options.yes:
        print(f"This deletes the site {manifest.name} with its data from {options.host}. A last backup stays there.")
        try:
            answer = input("Type the name of the site to go on: ")
        except EOFError:
            answer = ""
        if answer.strip() != manifest.name:
            print("Nothing was removed.")
            return 1
    return play("remove", options, name_site(manifest), ["-e", f"site_confirm={manifest.name}"])


def name_site(manifest: Manifest) -> Callable[[Path], None]:
    """Return a function that writes the variables which say only which site is meant."""

    def fill(file: Path) -> None:
        write_private(file, json.dumps({"site_manifest": to_fields(manifest), "site_domain": manifest.domain}))

    return fill


def play(playbook: str, options: argparse.Namespace, fill: Callable[[Path], None], more: Sequence[str] = ()) -> int:
    """Run a playbook with the variables that `fill` writes into a file. Returns Ansible's exit code."""
    extra = [word for variable in options.e for word in ("-e", variable)]
    with tempfile.TemporaryDirectory(prefix=f"{PROGRAM}-") as folder:
        file = Path(folder) / "site-vars.json"
        if options.ask_become_pass:
            options.password = options.password or getpass("sudo password: ")
            write_private(Path(folder) / "sudo-password", options.password)
            extra += ["--become-password-file", f"{folder}/sudo-password"]
        try:
            fill(file)
            return run_playbook(playbook, host=options.host, variables=file, options=[*extra, *more])
        except (ProjectFailed, NoAnsible) as failed:
            return refuse([str(failed)])
