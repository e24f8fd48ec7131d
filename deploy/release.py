#!/usr/bin/env python3
"""Changes the release that serves, on the host itself, as root; a lost ssh connection does not stop it half-way.

    release.py to VERSION    prepare it, switch, renew one process after the other, look; back by itself if it fails
    release.py back          the release that served before this one, at once
    release.py restart       the same release, one process after the other: new settings, new units

Releases lie in /opt/parley/releases/VERSION, /opt/parley/current says which one serves.
"""

import argparse
import fcntl
import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

HERE = Path(__file__).resolve().parent.parent  # the release that this file belongs to, whichever serves
sys.path.insert(0, str(HERE))  # imports start at its root

from deploy.processes import Failed, journal, processes, renew, restart, runs, site_name, systemctl  # noqa: E402

ROOT = Path("/opt/parley")
RELEASES = ROOT / "releases"
CURRENT, PREVIOUS = ROOT / "current", ROOT / "previous"
MANIFEST = Path("/var/lib/parley/static/staticfiles.json")
CERTIFICATE = Path("/etc/nginx/certificate/fullchain.pem")
COMPLETE = ".complete"  # written into a release when all of it is there
KEEP = 5  # releases, with the one that serves
LOOK_SECONDS = 60  # the doctor has to be done; it takes one or two where all is well


# --- which release


def serving(link: Path = CURRENT) -> str | None:
    return link.readlink().name if link.is_symlink() else None


def point(link: Path, version: str) -> None:
    """Atomically: a process that starts meanwhile gets the old or the new one."""
    new = link.with_name(f".{link.name}.new")
    new.unlink(missing_ok=True)
    new.symlink_to(Path("releases") / version)
    new.replace(link)


def switch(version: str) -> None:
    # The files of all releases lie together; which names of them are a release's own is in its manifest.
    kept = RELEASES / version / MANIFEST.name
    new = MANIFEST.with_name(f".{MANIFEST.name}.new")
    shutil.copyfile(kept, new)
    new.replace(MANIFEST)
    point(CURRENT, version)


def look() -> None:
    """The doctor walks a browser's way, on this machine. Raises Failed with its sentence, what it saw, and the cure."""
    command = [sys.executable, "-m", "deploy.doctor", f"https://{site_name()}", "--host", "--json"]
    command += ["--address", "127.0.0.1", "--ca", str(CERTIFICATE)]
    try:
        done = subprocess.run(command, cwd=HERE, capture_output=True, text=True, timeout=LOOK_SECONDS, check=False)
        said = json.loads(done.stdout)
    except subprocess.TimeoutExpired:
        raise Failed(f"the doctor has not come to an end within {LOOK_SECONDS} s") from None
    except ValueError:
        raise Failed(f"the doctor failed itself:\n{done.stderr.strip()}") from None
    if not said["exit_code"]:
        return say(f"the WebSocket arrives ({said['seconds']} s)")
    cause = next(found for hop in said["hops"] for found in hop["findings"] if not found["warning"])
    told = [f"the WebSocket is lost at {said['broken']}: {cause['sentence']}"]
    told += [f"    {word}: {cause[word]}" for word in ("seen", "where", "fix") if cause[word]]
    raise Failed("\n".join(told))


# --- what is asked of us


def to(version: str) -> None:
    before = serving()
    prepare(version)
    say(f"{before or 'nothing'} serves; switching to {version}")
    switch(version)
    try:
        one_after_the_other(renew)
        look()
    except Failed as failed:
        if before is None or before == version:
            raise
        say(f"{version} failed; going back to {before}")
        try:
            return_to(before)
        except Failed as worse:
            raise Failed(f"{version} failed:\n{failed}\nand {before} does not serve any more:\n{worse}") from None
        raise Failed(f"{version} was rolled back, {before} serves again. The cause:\n{failed}") from None
    if before and before != version:
        point(PREVIOUS, before)
    systemctl("start", "parley.target")
    prune()
    say(f"{version} serves")


def prepare(version: str) -> None:
    """Tables and static files, by the release itself, in its sandbox. Nobody notices when this fails."""
    if not (RELEASES / version / COMPLETE).exists():
        raise Failed(f"{RELEASES / version} is not a whole release")
    unit, began = f"parley-release@{version}.service", time.time()
    if systemctl("start", unit).returncode != 0:
        systemctl("reset-failed", unit)
        raise Failed(
            f"{version} was not switched to, {serving() or 'nothing'} serves. The cause:\n{journal(unit, began)}"
        )
    shutil.copyfile(MANIFEST, RELEASES / version / MANIFEST.name)


def one_after_the_other(change: Callable[[str], None]) -> None:
    for unit in processes():
        change(unit)
        say(f"{unit} is ready")


def return_to(version: str) -> None:
    """All at once: whoever goes back is in a hurry, and the sockets of systemd hold the visitors. What runs this
    release still is left alone."""
    switch(version)
    units = [unit for unit in processes() if not runs(unit, RELEASES / version)]
    systemctl("reset-failed", *units)
    with ThreadPoolExecutor() as pool:
        list(pool.map(restart, units))
    look()


def back() -> None:
    before, version = serving(), serving(PREVIOUS)
    if before is None or version is None or not (RELEASES / version / COMPLETE).exists():
        raise Failed("there is no earlier release to go back to")
    try:
        return_to(version)
    except Failed as failed:
        return_to(before)
        raise Failed(f"{version} does not serve any more, {before} does again. The cause:\n{failed}") from None
    point(PREVIOUS, before)
    say(f"{version} serves; {before} is kept")


def prune() -> None:
    whole = [path for path in RELEASES.iterdir() if (path / COMPLETE).exists()]
    newest = sorted(whole, key=lambda path: (path / COMPLETE).stat().st_mtime, reverse=True)
    wanted = [serving(), serving(PREVIOUS), *(path.name for path in newest)]
    keep = set(list(dict.fromkeys(name for name in wanted if name))[:KEEP])
    for path in whole:
        if path.name not in keep:
            (path / COMPLETE).unlink()  # first: half a release must not look like one
            shutil.rmtree(path)


def say(text: str) -> None:
    print(f"release: {text}", flush=True)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    asked = parser.add_subparsers(dest="asked", required=True)
    asked.add_parser("to").add_argument("version")
    asked.add_parser("back")
    asked.add_parser("restart")
    options = parser.parse_args()
    with open("/run/parley-release.lock", "w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            print("release: another release is under way", file=sys.stderr)
            return 1
        try:
            match options.asked:
                case "to":
                    to(options.version)
                case "back":
                    back()
                case "restart":
                    one_after_the_other(restart)
                    look()
        except Failed as failed:
            print(f"release: {failed}", file=sys.stderr)
            return 1
    return 0


if __name__ == "__main__":
    os.chdir("/")
    sys.exit(main())
