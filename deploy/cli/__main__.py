"""The command-line program: see its --help."""

import argparse
import sys
import tomllib
from collections.abc import Callable, Sequence
from importlib import metadata
from typing import NoReturn

from deploy.cli import adopt, completion, doctor, host, load, run, status, up
from deploy.local.checks import refuse, report_former_names
from deploy.local.layout import REPO
from deploy.manifest import WrongManifest
from deploy.manifest_values import suggest
from deploy.program import PROGRAM

DESCRIPTION = """\
Deploy any Django Channels project: pages as WSGI under gunicorn, WebSockets as ASGI under daphne, behind one nginx
with TLS.

Every command takes the project as APP: a folder, a git address with @commit, or an archive (.tar.gz, .zip). Without
it, the project in the current folder is meant.
"""
EXAMPLES = f"""\
examples:
  {PROGRAM} adopt ~/mysite     look what stands in the way, and write ~/mysite/stack.toml; nothing else changes
  {PROGRAM} run ~/mysite       run all of it on this machine, at https://localhost:8443
  {PROGRAM} up ~/mysite        run it in containers; `{PROGRAM} down` stops them and keeps the data
  {PROGRAM} deploy ~/mysite --host you@host --domain chat.example.org --email you@example.org
  {PROGRAM} status ~/mysite --host you@host     the site on its host in one screen, and what is wrong
  {PROGRAM} doctor https://chat.example.org     find the hop that drops the WebSocket, and the fix
  {PROGRAM} load ~/mysite      open many WebSockets, send messages, and count what is lost

exit codes:
  0 done   1 the command failed, or found something for you to do   64 wrong arguments   130 interrupted
"""
USAGE_ERROR = 64  # EX_USAGE of sysexits.h
INTERRUPTED = 130  # 128 + SIGINT, as shells report it


class Parser(argparse.ArgumentParser):
    """A parser whose errors have the exit code 64 and one line."""

    def error(self, message: str) -> NoReturn:
        """Print the error and exit."""
        self.exit(USAGE_ERROR, f"{PROGRAM}: {message} (see {self.prog} --help)\n")


def build_parser() -> argparse.ArgumentParser:
    """Return the parser of the command line; the chosen command is in `command`, a function."""
    parser, _ = build_parsers()
    return parser


def build_parsers() -> tuple[argparse.ArgumentParser, dict[str, argparse.ArgumentParser]]:
    """Return the parser of the program, and that of each command by its name."""
    parser = Parser(
        prog=PROGRAM, description=DESCRIPTION, epilog=EXAMPLES, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--version", action="version", version=f"{PROGRAM} {read_version()}", help="print the version")
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    for module in (adopt, run, up, host, status, doctor, load, completion):
        module.add_to(commands)
    # These two also run without this program.
    own = {"adopt": adopt.build_parser(), "doctor": doctor.build_parser()}
    commands.choices["completion"].set_defaults(command=print_completion)
    return parser, {**commands.choices, **own}


def read_version() -> str:
    """Return the version of this checkout, or of the package that is installed."""
    file = REPO / "pyproject.toml"
    if file.exists():
        version: str = tomllib.loads(file.read_text())["project"]["version"]
        return version
    return metadata.version(PROGRAM)


def print_completion(options: argparse.Namespace) -> int:
    """Print the script for a shell. Returns the exit code."""
    parser, parsers = build_parsers()
    helps = {action.dest: action.help or "" for action in list_commands(parser)}
    commands = {name: completion.describe_parser(one, helps[name]) for name, one in parsers.items()}
    print(completion.write_completion(options.shell, completion.describe_parser(parser, ""), commands), end="")
    return 0


def list_commands(parser: argparse.ArgumentParser) -> list[argparse.Action]:
    """Return the commands of the program, each with its name in `dest` and its one line in `help`."""
    found = (action for action in parser._actions if isinstance(action, argparse._SubParsersAction))  # noqa: SLF001
    return next(found)._choices_actions  # noqa: SLF001  argparse prints its help from this list


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command. Returns the exit code."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    own_parsers = {"adopt": adopt.run, "doctor": doctor.run}
    if words and words[0] in own_parsers:
        return own_parsers[words[0]](words[1:])
    parser, parsers = build_parsers()
    if words and words[0] not in parsers and not words[0].startswith("-"):
        parser.error(f'there is no command "{words[0]}"{suggest(words[0], list(parsers))}')
    options = parser.parse_args(words)
    report_former_names()
    command: Callable[[argparse.Namespace], int] = options.command
    try:
        return command(options)
    except WrongManifest as wrong:
        return refuse(wrong.problems)
    except KeyboardInterrupt:
        return INTERRUPTED


if __name__ == "__main__":
    sys.stdout.reconfigure(errors="replace")  # type: ignore[union-attr]  # for terminals without Unicode
    sys.exit(main())
