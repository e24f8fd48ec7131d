"""Checks of the host's system: its kind, Python, systemd, clock, apt and SELinux."""

import fcntl
import importlib.util
import platform
import shutil
import struct
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

from deploy.preflight.finding import Finding, note, stop
from deploy.preflight.host.proc import read_line, read_text
from deploy.preflight.plan import Plan

COMMAND_TIMEOUT_SECONDS = 5
FLOCK = "hhqqi"  # struct flock of Linux: l_type, l_whence, l_start, l_len, l_pid
DEBIAN_PYTHON = Path("/usr/bin")
MACHINES = ("x86_64", "aarch64")  # for which the packages of requirements/ have wheels
Run = Callable[..., str]


def run_program(*command: str, timeout: float = COMMAND_TIMEOUT_SECONDS) -> str:
    """Return what a program prints, or "" where it is not installed, fails or takes longer than `timeout` seconds."""
    if not shutil.which(command[0], path="/usr/sbin:/usr/bin:/sbin:/bin"):
        return ""
    try:
        done = subprocess.run(command, capture_output=True, text=True, errors="replace", timeout=timeout, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout.strip() if done.returncode == 0 else ""


def check_system(root: Path = Path("/")) -> Iterator[Finding]:
    """Check which system it is, and whether systemd runs it."""
    fields = dict(line.partition("=")[::2] for line in read_text(root / "etc/os-release").splitlines())
    kinds = f"{fields.get('ID', '')} {fields.get('ID_LIKE', '')}".replace('"', "").split()
    if "debian" not in kinds:
        name = fields.get("PRETTY_NAME", "an unknown system").strip('"')
        yield stop("system", f"This host runs {name}.", "Use a host with Debian 12, Debian 13 or Ubuntu 24.04.")
    if not (root / "run/systemd/system").is_dir():
        yield stop(
            "systemd",
            "systemd does not run this host, and every server of the site is a unit of it.",
            "Use a virtual machine, or a container whose process 1 is systemd. The command `up` needs Docker alone.",
        )
    if platform.machine() not in MACHINES:
        yield note("machine", f"This host is {platform.machine()}: packages may have no wheel for it.")


def check_python(plan: Plan, executable: str = sys.executable) -> Iterator[Finding]:
    """Check the interpreter that makes the virtual environment of a release: this one.

    Its version is checked by `__main__`, which an older one can read.
    """
    missing = [name for name in ("ssl", "sqlite3", "zlib") if not importlib.util.find_spec(name)]
    path = Path(executable)
    if path.parent == DEBIAN_PYTHON or path.parent.resolve() == DEBIAN_PYTHON:
        missing = [name for name in missing if name != "venv"]
    else:  # apt installs venv and ensurepip for Debian's own interpreter alone
        missing += [name for name in ("venv", "ensurepip") if not importlib.util.find_spec(name)]
    if missing:
        yield stop(
            "python",
            f"{executable}, which is python3 for root, has no {', no '.join(missing)}.",
            "Install a complete one, or let python3 be Debian's own /usr/bin/python3.",
        )


def check_clock(run: Run = run_program) -> Iterator[Finding]:
    """Check whether something keeps the clock right. How far it is off is seen from the operator's machine."""
    if run("timedatectl", "show", "--property=NTPSynchronized", "--value") == "no":
        yield note(
            "clock",
            "Nothing synchronises the clock of this host; a certificate is refused where the clock is wrong.",
            "apt-get install systemd-timesyncd",
        )


def check_apt(plan: Plan, root: Path = Path("/"), run: Run = run_program) -> Iterator[Finding]:
    """Check whether apt can install packages: its lock, an interrupted installation, the packages on offer."""
    if pid := find_lock_owner(root / "var/lib/dpkg/lock-frontend"):
        name = read_line(Path(f"/proc/{pid}/comm")) or "another program"
        yield note(
            "apt",
            f"{name} (pid {pid}) installs packages now; the deployment waits a minute for it.",
            "If it takes longer, deploy again when it has ended.",
        )
    elif list((root / "var/lib/dpkg/updates").glob("[0-9]*")):
        yield stop(
            "apt",
            "An installation of packages was interrupted, and apt refuses to install others.",
            "On the host: dpkg --configure -a",
        )
    if list((root / "var/lib/apt/lists").glob("*Packages*")):
        offered = run("apt-cache", "policy", *plan.packages)
        absent = [name for name in plan.packages if f"\n{name}:" not in f"\n{offered}" or _has_none(offered, name)]
        if absent and offered:
            yield stop(
                "apt sources",
                f"The package sources of this host do not offer {', '.join(absent)}.",
                "Add Debian's main (Ubuntu: main and universe) to /etc/apt/sources.list.d, and run apt-get update.",
            )
    sources = [root / "etc/apt/sources.list", *(root / "etc/apt/sources.list.d").glob("*.*")]
    if not any(is_source(line) for file in sources for line in read_text(file).splitlines()):
        yield stop(
            "apt sources",
            "apt has no package sources on this host.",
            "Write Debian's sources into /etc/apt/sources.list.d, and run apt-get update.",
        )


def is_source(line: str) -> bool:
    """Return whether a line of apt's sources names one, in either of its two formats."""
    return line.lstrip().startswith(("deb ", "deb\t", "URIs:"))


def _has_none(policy: str, package: str) -> bool:
    """Return whether `apt-cache policy` says that there is no candidate of the package."""
    part = f"\n{policy}".partition(f"\n{package}:")[2]
    return "Candidate: (none)" in "\n".join(part.splitlines()[:3])


def find_lock_owner(path: Path) -> int:
    """Return the pid of the process that holds the lock of apt; 0 where nobody does. The lock is not taken."""
    try:
        with path.open("r+b") as file:
            wanted = struct.pack(FLOCK, fcntl.F_WRLCK, 0, 0, 0, 0)
            kind, _, _, _, pid = struct.unpack(FLOCK, fcntl.fcntl(file, fcntl.F_GETLK, wanted))
    except OSError:
        return 0
    return 0 if kind == fcntl.F_UNLCK else int(pid)


def check_selinux(root: Path = Path("/")) -> Iterator[Finding]:
    """Check whether SELinux may refuse what the site does."""
    if read_line(root / "sys/fs/selinux/enforce") == "1":
        yield note(
            "selinux",
            "SELinux is enforcing on this host, and the site has no policy for it.",
            "If a server cannot open a file or socket, `ausearch -m avc` shows it; `setenforce 0` proves it.",
        )
