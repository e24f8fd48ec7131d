"""python -m deploy.doctor: see options.py, or --help."""

import os
import shutil
import sys

from deploy.doctor import options, picture, probes
from deploy.doctor.catalogue import ROWS, Hop
from deploy.doctor.inside import machine
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
    seen = probes.begin(asked)
    terminal = sys.stdout.isatty()
    pen = picture.Pen(
        colour=terminal and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb",
        width=min(shutil.get_terminal_size((100, 24)).columns, 110),
        secrets=asked.secrets,
    )

    def tell(hop: Hop) -> None:
        if pen.colour and not chosen.json:
            print(f"\r\033[2K  {hop.title} …", end="", flush=True)

    if chosen.host:
        seen.inside = machine.look(
            seen, nginx_command=chosen.nginx, logs=chosen.log, redis_url=chosen.redis, postgres=chosen.postgres
        )
        machine.knock(seen, seen.inside)
    walked = walk(seen, tell)
    if pen.colour and not chosen.json:
        print("\r\033[2K", end="")
    print(picture.as_json(walked, pen) if chosen.json else picture.draw(walked, pen))
    return walked.code


if __name__ == "__main__":
    sys.exit(main())
