"""python -m deploy.doctor: see options.py, or --help."""

import argparse
import os
import shutil
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

from deploy.doctor import options, picture, probes
from deploy.doctor.catalogue import ROWS, Hop
from deploy.doctor.inside import machine
from deploy.doctor.join import NotSeen, join, over_ssh
from deploy.doctor.report import Report, report
from deploy.doctor.seen import Asked
from deploy.doctor.walk import walk


def main(words: list[str] | None = None) -> int:
    """Returns the exit code: 0, or that of the hop where the way ends."""
    made = options.parser()
    chosen = made.parse_args(words)
    if chosen.catalogue:
        for hop in Hop:
            for row in (row for row in ROWS if row.hop is hop):
                print(f"{hop.code}  {hop.title:<10} {row.name}{' (warning)' if row.warning else ''}: {row.cause}")
        return 0
    asked = options.asked(made, chosen)
    terminal = sys.stdout.isatty()
    pen = picture.Pen(
        colour=terminal and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb",
        width=min(shutil.get_terminal_size().columns, picture.WIDTH),
    )
    found = both(chosen, asked, terminal and not chosen.json)
    print(found.json() if chosen.json else picture.draw(found, pen))
    return found.exit_code


def both(chosen: argparse.Namespace, asked: Asked, shown: bool) -> Report:
    """The way from here; beside it, where it is wanted, from the machine."""
    if chosen.joined:
        said = sys.stdin.read() if chosen.joined == "-" else Path(chosen.joined).read_text()
        try:
            return join(look(chosen, asked, shown), Report.read(said))
        except ValueError as error:
            sys.exit(f"doctor: --joined {chosen.joined}: {error}")
    if not chosen.ssh:
        return look(chosen, asked, shown)
    with ThreadPoolExecutor(1) as pool:
        there = pool.submit(over_ssh, chosen.ssh, options.over_there(chosen))
        here = look(chosen, asked, shown)
        try:
            return join(here, there.result())
        except NotSeen as error:
            return replace(here, not_seen=(*here.not_seen, str(error)))


def look(chosen: argparse.Namespace, asked: Asked, shown: bool) -> Report:
    """`shown`: on a terminal, where one line tells how far we are."""

    def tell(hop: Hop) -> None:
        if shown:
            print(f"\r\033[2K  {hop.title} …", end="", flush=True)

    seen = probes.begin(asked)
    if chosen.host:
        seen.inside = machine.look(
            seen, nginx_command=chosen.nginx, logs=chosen.log, redis_url=chosen.redis, postgres=chosen.postgres
        )
        machine.knock(seen, seen.inside)
    walked = walk(seen, tell)
    if shown:
        print("\r\033[2K", end="")
    return report(walked)


if __name__ == "__main__":
    sys.exit(main())
