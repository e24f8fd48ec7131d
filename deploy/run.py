"""Start the chat and its servers on this machine and keep it running until Ctrl-C: `make run`.

It checks this machine and prints one line per problem; prepares the key, the database, the static files and the
certificate; then starts Redis, gunicorn, two daphnes and nginx. Variables besides those of .env.example:

    HTTPS_PORT, HTTP_PORT   where to listen (8443, 8080)
    STACK_VAR               the folder for everything that is written (var/)
    STACK_ENV_FILE          another .env
    STACK_READY_FILE        a file for addresses, process ids and sockets, as JSON, once the site answers

var/run/ has the file <name>.pid of each process (redis, web, ws1, ws2, nginx). A process that ends is restarted, but
not while var/run/<name>.hold exists.
"""

import sys
from importlib.util import find_spec
from pathlib import Path


def main() -> int:
    """Refuse to start with a Python that is too old or lacks the packages; then run. Return the exit code."""
    sys.path[0] = str(Path(__file__).resolve().parent.parent)  # imports start at the repository's root
    from deploy.program import PROGRAM  # noqa: PLC0415  # needs the line above

    if sys.version_info < (3, 11):  # noqa: UP036
        print(f"{PROGRAM}: Python 3.11 or newer is needed; {sys.executable} is older.", file=sys.stderr)
        return 1
    if not (find_spec("honcho") and find_spec("environ")):
        print(f"{PROGRAM}: the Python packages are missing; start it with: make run", file=sys.stderr)
        return 1
    from deploy.local import start  # noqa: PLC0415  # needs all of the above

    return start.main(__doc__ or "")


if __name__ == "__main__":
    sys.stdout.reconfigure(errors="replace")  # type: ignore[union-attr]  # a terminal without Unicode still shows the address
    sys.exit(main())
