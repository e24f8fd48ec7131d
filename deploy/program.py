"""The name of this program, in front of what it prints, and the former names of the variables that it reads."""

from __future__ import annotations  # deploy/run.py also reads this file with a Python that is too old

from collections.abc import Iterator, MutableMapping

PROGRAM = "parley"
FORMER_PREFIX = f"{PROGRAM.upper()}_"

NEW_NAMES = {
    "DOMAIN": "DOMAIN",
    "HTTPS_PORT": "HTTPS_PORT",
    "HTTP_PORT": "HTTP_PORT",
    "VAR": "STACK_VAR",
    "ENV_FILE": "STACK_ENV_FILE",
    "READY_FILE": "STACK_READY_FILE",
}
"""What follows FORMER_PREFIX in a former name -> the name. docker/former-names.env has those of Compose."""


def rename_former(env: MutableMapping[str, str]) -> Iterator[str]:
    """Give the variables in `env` that have former names their names, too, and yield a sentence for each.

    A value under the name itself wins. The former names work until the next release.
    """
    for end, name in NEW_NAMES.items():
        former = FORMER_PREFIX + end
        if former in env:
            env.setdefault(name, env[former])
            yield f"{former} is now {name}; the former name works until the next release."
