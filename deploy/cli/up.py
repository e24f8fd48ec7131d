"""The commands up and down: the project in containers."""

import argparse
from pathlib import Path
from typing import Any

from deploy.cli.app import add_app, load_app
from deploy.containers import site
from deploy.local.layout import REPO
from deploy.program import PROGRAM

UP_HELP = "run the project in containers on this machine; they keep running, also after a reboot"
UP_DESCRIPTION = f"""\
{UP_HELP[0].upper()}{UP_HELP[1:]}.

nginx with TLS, gunicorn, daphne, Redis, PostgreSQL (or the database that stack.toml names), the processes and timers
of stack.toml: each in a container that may not write to its image, has no capability, and sees its own secrets only.
It needs Docker with compose 2.24 or newer. The project's folder is only read: the images are built from a copy in
~/.local/state/{PROGRAM}/NAME/containers ($XDG_STATE_HOME/{PROGRAM}/NAME/containers). A second `up` replaces what
has changed.

variables:
  DOMAIN                                the site's name, in place of `domain` in stack.toml; localhost for none
  HTTPS_PORT, HTTP_PORT                 where to listen (8443, 8080)
  the names in `secrets` of stack.toml  stored in a volume of the site at the first start, and again when they are set
  PYTHON_IMAGE, NGINX_IMAGE, REDIS_IMAGE, POSTGRES_IMAGE   other base images

examples:
  {PROGRAM} up ~/mysite
  DOMAIN=chat.example.org HTTPS_PORT=443 HTTP_PORT=80 {PROGRAM} up ~/mysite
  docker compose -p mysite exec web entrypoint manage createsuperuser
  {PROGRAM} down ~/mysite
"""
DOWN_HELP = "stop the project's containers; the data stays"
DOWN_DESCRIPTION = f"""\
{DOWN_HELP[0].upper()}{DOWN_HELP[1:]}: database, uploads, keys and certificate. WebSockets are closed with 1012 first.

examples:
  {PROGRAM} down ~/mysite
  {PROGRAM} down ~/mysite --delete-data
"""


def add_to(commands: Any) -> None:
    """Add both commands to the program."""
    add = argparse.RawDescriptionHelpFormatter
    up = commands.add_parser("up", help=UP_HELP, description=UP_DESCRIPTION, formatter_class=add)
    add_app(up)
    up.add_argument("--check", action="store_true", help="write the files and let Compose check them, start nothing")
    up.set_defaults(command=run_up)
    down = commands.add_parser("down", help=DOWN_HELP, description=DOWN_DESCRIPTION, formatter_class=add)
    add_app(down)
    down.add_argument("--delete-data", action="store_true", help="also delete the data and the keys, after a question")
    down.set_defaults(command=run_down)


def run_up(options: argparse.Namespace) -> int:
    """Start the project. Returns the exit code: 0 when it answers, 1 when it could not be started."""
    if is_chat(options.app):
        return site.start_chat(only_check=options.check)
    return site.start(load_app(options.app), only_check=options.check)


def run_down(options: argparse.Namespace) -> int:
    """Stop the project. Returns the exit code."""
    if options.delete_data and not is_confirmed():
        print("Nothing was deleted.")
        return 1
    if is_chat(options.app):
        return site.stop_chat(deletes_data=options.delete_data)
    return site.stop(load_app(options.app), deletes_data=options.delete_data)


def is_chat(app: str) -> bool:
    """Return whether the chat of this checkout is meant: it has a Compose file already."""
    return Path(app).expanduser().resolve() == REPO


def is_confirmed() -> bool:
    """Ask on the terminal whether the data shall be deleted."""
    try:
        answer = input('This deletes the database, the uploads and the keys of the containers. Type "delete": ')
    except EOFError:
        return False
    return answer.strip() == "delete"
