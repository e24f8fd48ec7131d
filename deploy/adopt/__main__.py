"""The command: `python -m deploy.adopt --help`."""

import argparse
import os
import shutil
import sys
from pathlib import Path
from typing import NoReturn

from deploy.adopt.adoption import adopt
from deploy.adopt.text_report import TextStyle, draw_report
from deploy.manifest import WrongManifest
from deploy.source import WrongSource

EX_USAGE, EX_DATAERR, EX_NOINPUT = 64, 65, 66  # sysexits.h
CLEAR_LINE = "\r\033[2K"
DESCRIPTION = """\
Examine a Django Channels project: what stands between it and its site, with file and line. Writes stack.toml where none
exists, and changes nothing else."""
EPILOG = """\
examples:
  {prog} ~/mysite
  {prog} https://github.com/you/mysite
  {prog} --json --dry-run mysite.tar.gz

exit codes:
  0   nothing stands in the way, or the stack mends it
  1   something needs a change of yours, or a field in stack.toml
  64  the command line is wrong
  65  stack.toml is wrong, or the folder has no Django project
  66  the folder, archive or repository cannot be read"""


class Parser(argparse.ArgumentParser):
    """argparse with the exit code of sysexits.h."""

    def error(self, message: str) -> NoReturn:
        """Print the problem in one line and exit."""
        self.exit(EX_USAGE, f"{self.prog}: {message}\n")


def make_parser(prog: str = "python -m deploy.adopt") -> argparse.ArgumentParser:
    """Return the parser of the command line."""
    parser = Parser(
        prog=prog,
        description=DESCRIPTION,
        epilog=EPILOG.format(prog=prog),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("project", nargs="?", default=".", help="a folder (.), a git address[@COMMIT] or an archive")
    parser.add_argument("--json", action="store_true", help="print the report as JSON: deploy/adopt/report.schema.json")
    parser.add_argument("--all", action="store_true", help="show all places of each cause")
    parser.add_argument("--force", action="store_true", help="replace a stack.toml that exists")
    parser.add_argument("--dry-run", action="store_true", help="print stack.toml instead of writing it")
    parser.add_argument("--offline", action="store_true", help="do not ask the index whether the packages fit")
    return parser


def main(command_line: list[str] | None = None, *, prog: str = "python -m deploy.adopt") -> int:
    """Run the command. Return its exit code."""
    arguments = make_parser(prog).parse_args(command_line)
    shows_progress = sys.stderr.isatty() and not arguments.json

    def show_progress(text: str) -> None:
        if shows_progress:
            print(f"{CLEAR_LINE}{text} ...", end="", file=sys.stderr, flush=True)

    try:
        report = adopt(
            arguments.project,
            here=Path.cwd(),
            writes=not arguments.dry_run,
            overwrites=arguments.force,
            resolves=not arguments.offline,
            progress=show_progress,
        )
    except WrongManifest as wrong:
        print("\n".join(f"adopt: {problem}" for problem in wrong.problems), file=sys.stderr)
        return EX_NOINPUT if isinstance(wrong, WrongSource) else EX_DATAERR
    except OSError as error:
        print(f"adopt: {error.filename}: {error.strerror}", file=sys.stderr)
        return EX_NOINPUT
    finally:
        if shows_progress:
            print(CLEAR_LINE, end="", file=sys.stderr, flush=True)
    if arguments.json:
        print(report.to_json())
    else:
        is_terminal = sys.stdout.isatty()
        wants_colour = not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"
        style = TextStyle(is_terminal and wants_colour, shutil.get_terminal_size((88, 24)).columns, arguments.all)
        print(draw_report(report, style))
    return report.exit_code


if __name__ == "__main__":
    sys.exit(main())
