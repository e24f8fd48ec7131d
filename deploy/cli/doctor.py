"""The command doctor: the doctor, which also runs alone as `python3 -m deploy.doctor`, for an address or a project."""

import argparse
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from deploy.cli.app import load_app
from deploy.doctor.__main__ import run as run_doctor
from deploy.doctor.options import COOKIE_VARIABLE, Parser, make_parser, parse_arguments
from deploy.local.checks import refuse
from deploy.manifest import Manifest, WrongManifest
from deploy.manifest_rules import check_domain
from deploy.program import PROGRAM

HELP = "find the hop between a browser and the WebSocket that drops the connection, and the fix"
URL_HELP = """https://NAME[:PORT][/PAGE]; the scripts of the page are read.
Or the project of the site, a folder (default: this folder): its
stack.toml has domain, home, probe and [doctor]"""
EXAMPLES = f"""\
  {PROGRAM} doctor ~/mysite                             the site of a project, by its stack.toml
  {PROGRAM} doctor ~/mysite --ssh you@host              and its host
"""
USAGE_ERROR = 64  # EX_USAGE of sysexits.h; smaller numbers name a hop
SITE_SCHEMES = ("https://", "http://", "wss://", "ws://")


def add_to(commands: Any) -> None:
    """Add the command to the program's help; the doctor parses its own arguments."""
    commands.add_parser("doctor", help=HELP, add_help=False)


def build_parser() -> Parser:
    """Return the parser of the command."""
    parser = make_parser(f"{PROGRAM} doctor", url_help=URL_HELP, more_examples=EXAMPLES)
    parser.wrong_arguments = USAGE_ERROR
    return parser


def run(words: Sequence[str]) -> int:
    """Run the doctor with these arguments. Returns its exit code; 1 where the project does not name its site."""
    parser = build_parser()
    arguments = parse_arguments(parser, words)
    if not arguments.catalogue and not (arguments.url or "").startswith(SITE_SCHEMES):
        app = arguments.url or "."
        if "/" not in app and "." in app.strip(".") and not Path(app).exists() and not check_domain(app):
            return refuse([f"there is no folder {app}; for the site of that name write https://{app}"])
        try:
            manifest = load_app(app)
        except WrongManifest as wrong:
            return refuse(wrong.problems)
        if not manifest.domain:
            return refuse([f"{manifest.name} has no domain: set it in stack.toml, or give the address of the site"])
        fill_from_manifest(arguments, manifest)
    return run_doctor(parser, arguments)


def fill_from_manifest(arguments: argparse.Namespace, manifest: Manifest) -> None:
    """Set the address of the site, and each option of the handshake that the command line leaves out."""
    arguments.url = f"https://{manifest.domain}{manifest.home}"
    arguments.ws_path = arguments.ws_path or manifest.probe
    arguments.subprotocol = arguments.subprotocol or manifest.doctor.subprotocol
    arguments.origin = arguments.origin or manifest.doctor.origin
    arguments.cookie = arguments.cookie or os.environ.get(COOKIE_VARIABLE) or manifest.doctor.cookie
