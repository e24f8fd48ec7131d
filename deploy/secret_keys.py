#!/usr/bin/env python3
"""Change the secret key of a site on this host, as root. Nobody is signed out, and no token ends.

    secret_keys.py rotate          make a new SECRET_KEY; what the former ones signed stays valid
    secret_keys.py end-sessions    make a new SECRET_KEY and forget the former ones: every session and token ends

The site is the one whose release this file belongs to. The services read the keys when they start, and several serve at
the same time. So `rotate` restarts them twice, one after the other: first all of them learn to read what the new key
signs, then they begin to sign with it.
"""

import argparse
import os
import secrets
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

HERE = Path(__file__).resolve().parent.parent  # the release that this file belongs to
sys.path.insert(0, str(HERE))  # imports start at its root

from deploy.manifest import KEY_SECRETS  # noqa: E402
from deploy.private_file import write_private  # noqa: E402
from deploy.site_name import ROOT, SITE  # noqa: E402

KEY, FORMER_KEYS, SESSION_HASH_KEY = KEY_SECRETS
FOLDER = Path(f"/etc/{SITE}/credentials")
KEPT_KEYS = 3  # former ones; what an older one signed is no longer valid


class Failed(Exception):
    """The key was not changed, or not everywhere. The text is a sentence."""


def rotate(folder: Path, restart: Callable[[], None]) -> None:
    """Sign with a new key, and go on to accept what was signed with the last KEPT_KEYS ones.

    Args:
        folder: One file for each secret of the site.
        restart: Restarts the services one after the other, and returns when all of them are ready.

    Raises:
        Failed: The site's release is older than this command, or a service did not start. A second call begins anew,
            and what was signed meanwhile stays valid.
    """
    for name in KEY_SECRETS:
        if not (folder / name).exists():
            raise Failed(f"{folder / name} does not exist: deploy a release of this version first")
    former = (folder / FORMER_KEYS).read_text().split()
    new, current = make_key(), (folder / KEY).read_text().strip()
    write_private(folder / FORMER_KEYS, "\n".join([new, *former[:KEPT_KEYS]]))
    restart()
    # In this order: a service that starts between the two lines still knows both keys.
    write_private(folder / FORMER_KEYS, "\n".join([new, current, *former[: KEPT_KEYS - 1]]))
    write_private(folder / KEY, new)
    write_private(folder / FORMER_KEYS, "\n".join([current, *former[: KEPT_KEYS - 1]]))
    restart()


def end_sessions(folder: Path, restart: Callable[[], None]) -> None:
    """Sign with a new key, and accept nothing that was signed before. Takes and raises what `rotate` does."""
    new = make_key()
    write_private(folder / FORMER_KEYS, "")
    write_private(folder / SESSION_HASH_KEY, new)
    write_private(folder / KEY, new)
    restart()


def make_key() -> str:
    """Return a random key of 64 characters, as Django wants it: at least 50."""
    return secrets.token_urlsafe(48)


def restart_services() -> None:
    """Restart the services of the site one after the other. Raises Failed."""
    if subprocess.run([str(ROOT / "current/deploy/release.py"), "restart"], check=False).returncode != 0:
        raise Failed("a service does not start with the new keys; its cause is above")


def main() -> int:
    """Return the exit code: 0 when all services use the new key, 1 otherwise."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("command", choices=["rotate", "end-sessions"])
    change = {"rotate": rotate, "end-sessions": end_sessions}[parser.parse_args().command]
    try:
        change(FOLDER, restart_services)
    except Failed as failed:
        print(f"secret_keys: {failed}", file=sys.stderr)
        return 1
    print(f"secret_keys: {SITE} signs with a new key")
    return 0


if __name__ == "__main__":
    os.chdir("/")
    sys.exit(main())
