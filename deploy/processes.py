"""The processes of this host, as systemd has them: restarted, renewed, and whether they are ready."""

import http.client
import os
import signal
import socket
import subprocess
import time
from contextlib import suppress
from pathlib import Path

PROC = Path("/proc")
WANTED = Path("/etc/systemd/system/parley.target.wants")
RUN = Path("/run/parley")
SETTINGS, SECRETS = Path("/etc/parley/parley.env"), Path("/etc/parley/credentials")
PATIENCE = 30  # seconds in which a started process has to get ready, and one that has a successor has to leave


class Failed(Exception):
    """The sentence says what, and what the program itself said of it."""


def processes() -> list[str]:
    """The services of this host: web first, so that a page never asks for what its server does not know."""
    enabled = sorted(link.name for link in WANTED.glob("parley-*.service"))
    return sorted(enabled, key=lambda name: (not name.startswith("parley-web"), name))


def restart(unit: str) -> None:
    """Return when it is ready, having closed its sockets politely before. Raises Failed."""
    began = time.time()
    if systemctl("restart", unit).returncode != 0:
        raise Failed(f"{unit} does not start\n{journal(unit, began)}")
    await_ready(unit, began)


def renew(unit: str) -> None:
    """Return when a new process serves and the one before has left: in this order, where the server knows how to start
    its successor (app/realtime/handover.py). Raises Failed; the one before then goes on."""
    began, before = time.time(), shown(unit)
    if not can_hand_over(before):
        restart(unit)
        return
    systemctl("reload", unit)
    deadline = time.monotonic() + PATIENCE
    while (now := shown(unit))["MainPID"] == before["MainPID"]:
        if now["StatusText"] != before["StatusText"] or time.monotonic() > deadline:
            raise Failed(f"{unit} goes on as it was: {now['StatusText']}\n{journal(unit, began)}")
        time.sleep(0.1)
    await_ready(unit, began)
    await_end(int(before["MainPID"]))


def can_hand_over(now: dict[str, str]) -> bool:
    """Not where settings, secrets or units are newer than its start: systemd gives them at a start alone, and a
    successor inherits what there was."""
    if now["ActiveState"] != "active" or now["CanReload"] != "yes" or not catches(now["MainPID"], signal.SIGHUP):
        return False
    drop_ins = [Path(name) for name in now["DropInPaths"].split()]
    given = [SETTINGS, SECRETS, *SECRETS.iterdir(), Path(now["FragmentPath"]), *drop_ins]
    given += [path.parent for path in drop_ins]  # one may be gone
    started = float(now["InactiveExitTimestamp"].removeprefix("@"))
    return all(path.stat().st_mtime < started for path in given)


def catches(pid: str, number: signal.Signals) -> bool:
    """A process that does not would be ended by it; so would the server of a release before 'reload' was known."""
    try:
        caught = (PROC / pid / "status").read_text().split("SigCgt:")[1].split()[0]
    except OSError:
        return False  # it has just ended
    return bool(int(caught, 16) & 1 << number - 1)


def await_ready(unit: str, began: float) -> None:
    deadline = time.monotonic() + PATIENCE
    while (answer := ready(socket_of(unit))) != "ok":
        if time.monotonic() > deadline:
            raise Failed(f"{unit} does not get ready: {answer}\n{journal(unit, began)}")
        time.sleep(0.1)


def await_end(pid: int) -> None:
    """It says goodbye to its sockets. systemd watches its successor, so one that is stuck is ended from here."""
    deadline = time.monotonic() + PATIENCE
    while (PROC / str(pid)).exists():
        if time.monotonic() > deadline:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        time.sleep(0.1)


def runs(unit: str, release: Path) -> bool:
    """Whether its main process is of that release; deploy/in-release starts it there."""
    try:
        return (PROC / shown(unit)["MainPID"] / "cwd").readlink() == release / "app"
    except OSError:
        return False  # nothing runs


def shown(unit: str) -> dict[str, str]:
    """What systemd knows of it; times are seconds since 1970 after an @."""
    names = "ActiveState,CanReload,MainPID,StatusText,InactiveExitTimestamp,FragmentPath,DropInPaths"
    said = systemctl("show", "--timestamp=unix", f"--property={names}", unit).stdout
    return dict(line.split("=", 1) for line in said.splitlines())


def socket_of(unit: str) -> Path:
    name = unit.removeprefix("parley-").removesuffix(".service").replace("@", "")
    return RUN / f"{name}.sock"


def ready(path: Path) -> str:
    line = http.client.HTTPConnection(site_name(), timeout=5)
    line.sock = socket.socket(socket.AF_UNIX)
    line.sock.settimeout(5)
    try:
        line.sock.connect(str(path))
        line.request("GET", "/readyz")
        answer = line.getresponse()
        said = answer.read().decode(errors="replace").strip()
    except (OSError, http.client.HTTPException) as error:
        return repr(error)
    finally:
        line.close()
    return "ok" if answer.status == 200 else f"/readyz answers {answer.status} {said}"


def site_name() -> str:
    for line in SETTINGS.read_text().splitlines():
        if line.startswith("ALLOWED_HOSTS="):
            return line.partition("=")[2].split(",")[0].strip("'\" ")
    raise Failed(f"{SETTINGS} has no ALLOWED_HOSTS")


def systemctl(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(["systemctl", *words], capture_output=True, text=True, check=False)


def journal(unit: str, since: float) -> str:
    command = ["journalctl", "--unit", unit, "--since", f"@{since:.0f}", "--output", "cat", "--lines", "40", "--quiet"]
    lines = subprocess.run(command, capture_output=True, text=True, check=False).stdout.splitlines()
    return "\n".join(f"    {line}" for line in lines)
