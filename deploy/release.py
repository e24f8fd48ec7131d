#!/usr/bin/env python3
"""Change the release that serves on this host, as root. A lost ssh connection does not stop it half-way.

    release.py deploy VERSION    prepare the release, try it beside the one that serves, switch to it, replace one
                                 process after the other, verify the site; when anything fails, return to the release
                                 before
    release.py rollback          return to the release that served before this one, in the same way
    release.py restart           try the release with new settings and new units, then restart one process after the
                                 other

The releases of a site are the folders /opt/NAME/releases/VERSION; the link /opt/NAME/current leads to the one that
serves. The site is the one whose release this file belongs to.
"""

import argparse
import fcntl
import json
import os
import shlex
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

HERE = Path(__file__).resolve().parent.parent  # the release that this file belongs to, whichever release serves
sys.path.insert(0, str(HERE))  # imports start at its root

from deploy.candidates import are_installed, try_release  # noqa: E402
from deploy.doctor.options import OPTIONS_VARIABLE, make_parser  # noqa: E402
from deploy.failure_cause import find_release_cause, shorten  # noqa: E402
from deploy.journal import JournalMark, describe_command, mark_journal, read_journal  # noqa: E402
from deploy.processes import (  # noqa: E402
    Failed,
    graceful_reload,
    is_of_release,
    list_services,
    read_setting,
    read_site_name,
    restart,
    run_systemctl,
)
from deploy.site_name import ROOT, SITE  # noqa: E402

RELEASES = ROOT / "releases"
CURRENT, PREVIOUS = ROOT / "current", ROOT / "previous"
MANIFEST = Path(f"/var/lib/{SITE}/static/staticfiles.json")
LOCK = Path(f"/run/{SITE}-release.lock")
COMPLETE = ".complete"  # a file that is written into a release when all of it is there
KEPT_RELEASES = 5  # including the one that serves
DOCTOR_TIMEOUT_SECONDS = 60  # it takes one or two where nothing is broken
FORMER_COMMANDS = {"to": "deploy", "back": "rollback"}  # they work in this release only


# --- which release


def read_version(link: Path = CURRENT) -> str | None:
    """Return the version that CURRENT (or PREVIOUS) leads to, or None when the link is missing."""
    return link.readlink().name if link.is_symlink() else None


def point_link(link: Path, version: str) -> None:
    """Let the link lead to that release, atomically: a process that starts meanwhile gets the old or the new one."""
    new = link.with_name(f".{link.name}.new")
    new.unlink(missing_ok=True)
    new.symlink_to(Path("releases") / version)
    new.replace(link)


def switch_release(version: str) -> None:
    """Make the release the one that the next started process belongs to."""
    use_static_manifest(version)
    point_link(CURRENT, version)


def use_static_manifest(version: str) -> None:
    """Let the processes that start from now on use the static files of that release."""
    # The static files of all releases are in one folder; the manifest says which of them a release uses.
    # A project has static files of its own in each release instead, and no manifest here.
    kept = RELEASES / version / MANIFEST.name
    if kept.exists():
        new = MANIFEST.with_name(f".{MANIFEST.name}.new")
        shutil.copyfile(kept, new)
        new.replace(MANIFEST)


def verify_site(mark: JournalMark) -> None:
    """Have the doctor follow a browser's way to the WebSocket, on this machine.

    Args:
        mark: from there on the journal of the site's units is about this release.

    Raises:
        Failed: with the doctor's sentence, what it saw, and the fix.
    """
    try:
        run_doctor()
    except Failed as failed:
        raise Failed(failed.cause, log=describe_command(f"{SITE}-*", mark), details=failed.details) from None


def run_doctor() -> None:
    """Run the doctor, and log what it found. Raises Failed."""
    command = [sys.executable, "-m", "deploy.doctor", f"https://{read_site_name()}", "--host", "--json"]
    command += ["--address", "127.0.0.1", "--ca", str(find_certificate())]
    environment = {**os.environ, OPTIONS_VARIABLE: read_setting(OPTIONS_VARIABLE)}
    try:
        ended = subprocess.run(
            command,
            cwd=HERE,
            env=environment,
            capture_output=True,
            text=True,
            timeout=DOCTOR_TIMEOUT_SECONDS,
            check=False,
        )
        report = json.loads(ended.stdout)
    except subprocess.TimeoutExpired:
        raise Failed(f"the doctor did not end within {DOCTOR_TIMEOUT_SECONDS} s") from None
    except ValueError:
        last = (ended.stderr.strip().splitlines() or [f"exit code {ended.returncode}"])[-1]
        raise Failed(f"the doctor itself failed: {shorten(last)}") from None
    if not report["exit_code"]:
        websocket = next(hop for hop in report["hops"] if hop["hop"] == "WebSocket")
        seen = "reached the WebSocket" if websocket["state"] == "ok" else f"found no broken hop: {websocket['note']}"
        return log(f"the doctor {seen} ({report['seconds']} s)")
    cause = next(found for hop in report["hops"] for found in hop["findings"] if not found["warning"])
    details = [f"    {key}: {cause[key]}" for key in ("seen", "where", "fix") if cause[key]]
    raise Failed(f"the WebSocket is lost at {report['broken']}: {cause['sentence']}", details=details)


def find_certificate() -> Path:
    """Return the certificate that nginx shows for the site: its own, or that of the host's only site."""
    own = Path(f"/etc/nginx/certificates/{SITE}/fullchain.pem")
    return own if own.exists() else Path("/etc/nginx/certificate/fullchain.pem")


# --- the commands


def deploy(version: str, mark: JournalMark) -> None:
    """Make `version` the release that serves; when anything fails, the release before serves again.

    Args:
        version: the name of a complete release.
        mark: a place in the journal from before the release began.

    Raises:
        Failed: with the cause; the text says which release serves now.
    """
    before = read_version()
    prepare(version, mark)
    try_candidates(version, mark)
    log(f"{before or 'no release'} serves; switching to {version}")
    switch_release(version)
    try:
        change_one_by_one(graceful_reload, mark)
        verify_site(mark)
    except Failed as failed:
        if before is None or before == version:
            raise failed.with_result(f"{version} does not serve") from None
        log(f"{version} failed; returning to {before}")
        try:
            return_to(before, mark)
        except Failed as worse:
            details = [*failed.details, f"and {before} no longer serves either: {worse.cause}", *worse.details]
            raise Failed(f"{version} failed: {failed.cause}", log=failed.log, details=details) from None
        raise failed.with_result(f"{version} was rolled back, {before} serves again") from None
    if before and before != version:
        point_link(PREVIOUS, before)
    run_systemctl("start", f"{SITE}.target")
    remove_old_releases()
    log(f"{version} serves")


def prepare(version: str, mark: JournalMark) -> None:
    """Run the release's own steps (deploy/release_steps.py) in its sandbox. The release that serves is not affected.

    Args:
        version: the name of the release.
        mark: from there on the journal is read for the cause of a failure.

    Raises:
        Failed: the release is incomplete, or a step failed.
    """
    if not (RELEASES / version / COMPLETE).exists():
        raise Failed(f"{RELEASES / version} is not a complete release")
    unit = f"{SITE}-release@{version}.service"
    if run_systemctl("start", unit).returncode != 0:
        run_systemctl("reset-failed", unit)
        serving = read_version() or "no release"
        cause = find_release_cause(read_journal(unit, mark))
        log_command = describe_command(unit, mark)
        raise Failed(f"{version} was not switched to, {serving} serves: {cause}", log=log_command)
    if MANIFEST.exists():
        shutil.copyfile(MANIFEST, RELEASES / version / MANIFEST.name)


def try_candidates(version: str, mark: JournalMark) -> None:
    """Start the release beside the one that serves and run its probes. The release that serves is not affected.

    Args:
        version: the name of the release.
        mark: from there on the journal is read for the cause of a failure.

    Raises:
        Failed: it would not serve.
    """
    if not are_installed(version):
        log("this host has no units for a trial until its next deployment; the release is not tried beforehand")
        return
    serving = read_version()
    use_static_manifest(version)
    try:
        try_release(RELEASES / version, mark, read_subprotocol())
    except Failed as failed:
        if serving:
            use_static_manifest(serving)
        raise failed.with_result(f"{version} was not switched to, {serving or 'no release'} serves") from None
    log(f"{version} answers its probes")


def read_subprotocol() -> str:
    """Return what a handshake offers, by DOCTOR_OPTIONS; "" for that of the chat."""
    parser = make_parser()
    return str(parser.parse_known_args(shlex.split(read_setting(OPTIONS_VARIABLE)))[0].subprotocol)


def change_one_by_one(change: Callable[[str, JournalMark], None], mark: JournalMark) -> None:
    """Apply `change` (restart or graceful_reload) to one service after the other. Raises Failed at the first."""
    for unit in list_services():
        change(unit, mark)
        log(f"{unit} is ready")


def return_to(version: str, mark: JournalMark) -> None:
    """Let one service after the other hand over to that release; those that are of it already are left alone.

    Raises:
        Failed: a service does not get ready, or the doctor finds a broken hop.
    """
    switch_release(version)
    for unit in list_services():
        if not is_of_release(unit, RELEASES / version):
            replace_process(unit, mark)
            log(f"{unit} is ready")
    verify_site(mark)


def replace_process(unit: str, mark: JournalMark) -> None:
    """Replace the process of a service gracefully, or restart the service where its process is too broken for that.

    Raises:
        Failed: the service does not get ready.
    """
    try:
        graceful_reload(unit, mark)
    except Failed as failed:
        log(f"{unit} is restarted, because it did not hand over: {failed.cause}")
        run_systemctl("reset-failed", unit)
        restart(unit, mark)


def rollback(mark: JournalMark) -> None:
    """Make the release before the one that serves; a second rollback returns to this one.

    Raises:
        Failed: there is no such release, or it does not serve any more; this one then serves again.
    """
    before, version = read_version(), read_version(PREVIOUS)
    if before is None or version is None or not (RELEASES / version / COMPLETE).exists():
        raise Failed("there is no earlier release to return to")
    try_candidates(version, mark)
    try:
        return_to(version, mark)
    except Failed as failed:
        return_to(before, mark)
        raise failed.with_result(f"{version} does not serve any more, {before} does again") from None
    point_link(PREVIOUS, before)
    log(f"{version} serves; {before} is kept")


def restart_services(mark: JournalMark) -> None:
    """Restart one service after the other, once the release has answered its probes with the settings of now.

    Raises:
        Failed: the release does not work with these settings; what serves goes on.
    """
    if version := read_version():
        try_candidates(version, mark)
    change_one_by_one(restart, mark)
    verify_site(mark)


def remove_old_releases() -> None:
    """Keep KEPT_RELEASES releases: the one that serves, the one before, and the newest of the others."""
    complete = [path for path in RELEASES.iterdir() if (path / COMPLETE).exists()]
    newest = sorted(complete, key=lambda path: (path / COMPLETE).stat().st_mtime, reverse=True)
    wanted = [read_version(), read_version(PREVIOUS), *(path.name for path in newest)]
    keep = set(list(dict.fromkeys(name for name in wanted if name))[:KEPT_RELEASES])
    for path in complete:
        if path.name not in keep:
            (path / COMPLETE).unlink()  # first: half a release must not look complete
            shutil.rmtree(path)


def log(text: str) -> None:
    """Print one line at once: the output is a log that others read while this runs."""
    print(f"release: {text}", flush=True)


def main() -> int:
    """Return the exit code: 0 when the command is done, 1 when it failed or when another release is under way."""
    os.umask(0o022)  # the servers read what is written here, whatever the umask of the operator's session is
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(dest="command", required=True)
    for name in ("deploy", "to"):
        commands.add_parser(name).add_argument("version")
    for name in ("rollback", "back", "restart"):
        commands.add_parser(name)
    options = parser.parse_args()
    command = FORMER_COMMANDS.get(options.command, options.command)
    if command != options.command:
        print(f"release: the command {options.command!r} is now {command!r}", file=sys.stderr)
    with LOCK.open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            print("release: another release is under way", file=sys.stderr)
            return 1
        try:
            mark = mark_journal()  # an older failure is none of this command
            match command:
                case "deploy":
                    deploy(options.version, mark)
                case "rollback":
                    rollback(mark)
                case "restart":
                    restart_services(mark)
        except Failed as failed:
            print(f"release: {failed.describe()}", file=sys.stderr)
            return 1
        except OSError as error:  # such as a full disk
            print(f"release: {error.filename or 'the release'}: {error.strerror}", file=sys.stderr)
            return 1
    return 0


if __name__ == "__main__":
    os.chdir("/")
    sys.exit(main())
