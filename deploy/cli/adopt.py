"""The command adopt: what stands between a project and its site. It parses its own arguments."""

import argparse
from collections.abc import Sequence
from typing import Any

from deploy.adopt.__main__ import main, make_parser
from deploy.program import PROGRAM

HELP = "look what stands between the project and its site, with file and line, and write stack.toml"


def add_to(commands: Any) -> None:
    """Add the command to the program's help."""
    commands.add_parser("adopt", help=HELP, add_help=False)


def build_parser() -> argparse.ArgumentParser:
    """Return the parser of the command."""
    return make_parser(f"{PROGRAM} adopt")


def run(arguments: Sequence[str]) -> int:
    """Run the command with its own arguments. Returns its exit code."""
    return main(list(arguments), prog=f"{PROGRAM} adopt")
