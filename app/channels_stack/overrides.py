"""What the settings overlay changed, by setting: for the log, and for `adopt`.

python -m channels_stack.overrides          one line for each setting
python -m channels_stack.overrides --json   the same for programs, with the addresses that nginx has to know
"""

import argparse
import importlib
import sys
from dataclasses import dataclass

import msgspec

from channels_stack.changes import Override
from channels_stack.project import explain


@dataclass(frozen=True)
class Report:
    """What --json prints. The settings are those after the overlay; "" where there is none."""

    overrides: list[Override]
    static_url: str
    media_url: str
    media_root: str
    project_media_root: str
    """MEDIA_ROOT of the project itself, before the overlay."""


def build_report() -> Report:
    """Load the settings and return what was overridden. Raises what the project's settings module raises."""
    settings = vars(importlib.import_module("channels_stack.settings"))
    project = settings["project_settings"]  # the module itself has the overlay's values by now
    return Report(
        overrides=settings["STACK_OVERRIDES"],
        static_url=_address(settings.get("STATIC_URL")),
        media_url=_address(settings.get("MEDIA_URL")),
        media_root=str(settings.get("MEDIA_ROOT") or ""),
        project_media_root=str(project.get("MEDIA_ROOT") or ""),
    )


def _address(url: str | None) -> str:
    """Return a setting such as STATIC_URL as Django uses it: a relative address begins at the site's root."""
    return f"/{url}" if url and not url.startswith("/") and "://" not in url else str(url or "")


def main() -> int:
    """Print the overrides. Returns the exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m channels_stack.overrides", description="Print which settings of the project the stack replaces."
    )
    parser.add_argument("--json", action="store_true", help="print JSON")
    options = parser.parse_args()
    try:
        report = build_report()
    except Exception as error:  # whatever the project's settings raise
        print(f"The settings cannot be loaded: {explain(error)}", file=sys.stderr)
        return 1
    if options.json:
        sys.stdout.write(msgspec.json.encode(report).decode() + "\n")
    else:
        sys.stdout.writelines(f"{override}\n" for override in report.overrides)
    return 0


if __name__ == "__main__":
    sys.exit(main())
