"""The services of a site, as systemd runs them: restart them, replace their processes, wait until they are ready."""

import http.client
import os
import shlex
import signal
import subprocess
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import TypedDict, cast

from deploy.failure_cause import find_cause, find_error, shorten
from deploy.journal import JournalMark, describe_command, read_journal
from deploy.site_name import SETTINGS, SITE
from deploy.unix_http import UnixSocketConnection, fetch

PROC = Path("/proc")
ENABLED_UNITS = Path(f"/etc/systemd/system/{SITE}.target.wants")
SOCKETS = Path("/run") / SITE
SECRETS = Path(f"/etc/{SITE}/credentials")
# A release has the project's code in one of these folders, see deploy/run-in-release; the servers run there.
PROJECT_FOLDERS = ("root", "app")
# A program without a socket is ready when it has run for so long.
PROGRAM_START_SECONDS = 3
# For a started process to get ready, for a successor to be there, and for the process before it to end.
CHANGE_TIMEOUT_SECONDS = 30
READY_TIMEOUT_SECONDS = 5  # for one answer of /readyz
POLL_INTERVAL_SECONDS = 0.1


class Failed(Exception):
    """A change of the release failed. The text is one sentence, in one line.

    Attributes:
        cause: the sentence.
        log: the command that shows the whole log; "" where there is none.
        details: more lines, such as what to do.
    """

    def __init__(self, cause: str, *, log: str = "", details: Sequence[str] = ()) -> None:
        self.cause, self.log, self.details = " ".join(cause.split()), log, tuple(details)
        super().__init__(self.cause)

    def with_result(self, result: str) -> "Failed":
        """Return the same failure, whose sentence begins with what it led to."""
        return Failed(f"{result}: {self.cause}", log=self.log, details=self.details)

    def describe(self) -> str:
        """Return the sentence, and below it the command that shows the whole log, and the details."""
        log = [f"the whole log: {self.log}"] if self.log else []
        return "\n".join([self.cause, *log, *self.details])


class UnitState(TypedDict):
    """Properties of a unit, as `systemctl show` prints them. A time is "@" and seconds since 1970."""

    ActiveState: str
    CanReload: str
    MainPID: str
    StatusText: str
    InactiveExitTimestamp: str
    FragmentPath: str
    DropInPaths: str


def list_services() -> list[str]:
    """Return the enabled services, web first: a page never asks a WebSocket server for what that one does not know."""
    enabled = sorted(link.name for link in ENABLED_UNITS.glob(f"{SITE}-*.service"))
    return sorted(enabled, key=lambda name: (name != f"{SITE}-web.service", name))


def restart(unit: str, mark: JournalMark) -> None:
    """Restart a service and return when it is ready. Its open sockets are closed politely first.

    Args:
        unit: the service.
        mark: from there on its journal is read for the cause of a failure.

    Raises:
        Failed: it does not start, or it is not ready within CHANGE_TIMEOUT_SECONDS.
    """
    if run_systemctl("restart", unit).returncode != 0:
        raise start_failure(unit, "does not start", mark)
    await_ready(unit, mark)


def graceful_reload(unit: str, mark: JournalMark) -> None:
    """Replace the process of a service and return when the new one serves and the old one has ended.

    Where the server can start its successor (channels_realtime/handover.py), the successor is ready before the old
    process closes its sockets. Otherwise the service is restarted.

    Args:
        unit: the service.
        mark: from there on its journal is read for the cause of a failure.

    Raises:
        Failed: the new process did not get ready. Where the server can start its successor, the old one goes on.
    """
    before = read_state(unit)
    if not can_hand_over(before):
        restart(unit, mark)
        return
    run_systemctl("reload", unit)
    deadline = time.monotonic() + CHANGE_TIMEOUT_SECONDS
    while (now := read_state(unit))["MainPID"] == before["MainPID"]:
        if now["StatusText"] != before["StatusText"] or time.monotonic() > deadline:
            raise readiness_failure(unit, f"keeps its old process: {now['StatusText']}", mark)
        time.sleep(POLL_INTERVAL_SECONDS)
    await_ready(unit, mark)
    await_end(int(before["MainPID"]))


def can_hand_over(state: UnitState) -> bool:
    """Return whether the service's process may start its successor itself.

    It may not where settings, secrets or units are newer than its start: systemd passes those on at a start only, and
    a successor would inherit the old ones.
    """
    if state["ActiveState"] != "active" or state["CanReload"] != "yes":
        return False
    if not catches_signal(state["MainPID"], signal.SIGHUP):
        return False
    drop_ins = [Path(name) for name in state["DropInPaths"].split()]
    inputs = [SETTINGS, SECRETS, *SECRETS.iterdir(), Path(state["FragmentPath"]), *drop_ins]
    inputs += [path.parent for path in drop_ins]  # a drop-in may have been removed
    started = float(state["InactiveExitTimestamp"].removeprefix("@"))
    return all(path.stat().st_mtime < started for path in inputs)


def catches_signal(pid: str, number: signal.Signals) -> bool:
    """Return whether the process handles the signal; a process that does not would be ended by it."""
    try:
        caught = (PROC / pid / "status").read_text().split("SigCgt:")[1].split()[0]
    except OSError:
        return False  # it has just ended
    return bool(int(caught, 16) & 1 << number - 1)


def start_failure(unit: str, what: str, mark: JournalMark) -> Failed:
    """Return the failure of a service that has ended: its journal says why."""
    cause = find_cause(read_journal(unit, mark))
    return Failed(f"{unit} {what}: {cause}", log=describe_command(unit, mark))


def readiness_failure(unit: str, what: str, mark: JournalMark) -> Failed:
    """Return the failure of a service that runs. Not every line of its journal is about that, but an error may be."""
    error = find_error(read_journal(unit, mark))
    sentence = shorten(f"{unit} {what}") + (f"; its last error: {error}" if error else "")
    return Failed(sentence, log=describe_command(unit, mark))


def await_ready(unit: str, mark: JournalMark) -> None:
    """Return when the service answers /readyz with 200; a program without a socket, when it goes on running.

    Args:
        unit: the service.
        mark: from there on its journal is read for the cause of a failure.

    Raises:
        Failed: it is not ready within CHANGE_TIMEOUT_SECONDS.
    """
    if not is_server(unit):
        await_running(unit, mark)
        return
    deadline = time.monotonic() + CHANGE_TIMEOUT_SECONDS
    while (problem := ask_readiness(find_socket(unit))) is not None:
        if time.monotonic() > deadline:
            raise readiness_failure(unit, f"does not get ready: {problem}", mark)
        time.sleep(POLL_INTERVAL_SECONDS)


def is_server(unit: str) -> bool:
    """Return whether the service is one of the stack's servers; the others are programs of the project."""
    return unit == f"{SITE}-web.service" or unit.startswith(f"{SITE}-ws@")


def await_running(unit: str, mark: JournalMark) -> None:
    """Return when the program has run for PROGRAM_START_SECONDS without an end.

    Args:
        unit: the service.
        mark: from there on its journal is read for the cause of a failure.

    Raises:
        Failed: it ended meanwhile.
    """
    deadline = time.monotonic() + PROGRAM_START_SECONDS
    pid = read_state(unit)["MainPID"]
    while time.monotonic() < deadline:
        now = read_state(unit)
        if now["ActiveState"] != "active" or now["MainPID"] != pid:
            raise start_failure(unit, "does not go on running", mark)
        time.sleep(POLL_INTERVAL_SECONDS)


def await_end(pid: int) -> None:
    """Return when the process has ended, which closes its sockets first. It is killed after CHANGE_TIMEOUT_SECONDS.

    systemd watches the successor by now, so a process that is stuck has to be ended here.
    """
    deadline = time.monotonic() + CHANGE_TIMEOUT_SECONDS
    while (PROC / str(pid)).exists():
        if time.monotonic() > deadline:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        time.sleep(POLL_INTERVAL_SECONDS)


def is_of_release(unit: str, release: Path) -> bool:
    """Return whether the service's main process is of that release: deploy/run-in-release starts it in its folder.

    A program of the project may have changed its folder, and is then taken to be of another release.
    """
    try:
        folder = (PROC / read_state(unit)["MainPID"] / "cwd").readlink()
    except OSError:
        return False  # the service does not run
    return folder in [(release / name).resolve() for name in PROJECT_FOLDERS]


def read_state(unit: str) -> UnitState:
    """Return what systemd knows of the unit now."""
    names = ",".join(UnitState.__annotations__)
    printed = run_systemctl("show", "--timestamp=unix", f"--property={names}", unit).stdout
    return cast("UnitState", dict(line.split("=", 1) for line in printed.splitlines()))


def find_socket(unit: str) -> Path:
    """Return the unix socket at which the service listens: NAME-ws@1.service at ws1.sock."""
    name = unit.removeprefix(f"{SITE}-").removesuffix(".service").replace("@", "")
    return SOCKETS / f"{name}.sock"


def ask_readiness(path: Path) -> str | None:
    """Ask the server at this unix socket for /readyz. Return None when it is ready, else why it is not."""
    try:
        status, body = fetch(UnixSocketConnection(path, READY_TIMEOUT_SECONDS, read_site_name()), "/readyz")
    except (OSError, http.client.HTTPException) as error:
        return repr(error)
    return None if status == 200 else f"/readyz answers {status} {body.strip()}"


def read_site_name() -> str:
    """Return the first of the site's host names. Raises Failed where the settings have none."""
    for variable in ("SITE_HOSTS", "ALLOWED_HOSTS"):
        if hosts := read_setting(variable):
            return hosts.split(",")[0].strip()
    raise Failed(f"{SETTINGS} has no SITE_HOSTS")


def read_setting(variable: str) -> str:
    """Return the value of a variable in the settings of the site; "" where it is not set."""
    return read_variable(SETTINGS, variable)


def read_variable(settings: Path, variable: str) -> str:
    """Return the value of a variable in the settings of any site; "" where it is not set. Raises OSError."""
    for line in settings.read_text().splitlines():
        if line.startswith(f"{variable}="):
            value = line.partition("=")[2].strip()
            # As systemd reads it: of what is quoted, the quotes and the backslashes before quotes are not part.
            return shlex.split(value)[0] if value[:1] in ("'", '"') else value
    return ""


def run_systemctl(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Run systemctl and return its result, whatever the exit code is."""
    return subprocess.run(["systemctl", *arguments], capture_output=True, text=True, check=False)
