"""Unix sockets: who may connect to them, and which process listens on them."""

import grp
import os
import pwd
import re
import stat
from contextlib import suppress
from pathlib import Path

from deploy.doctor.observations import ServerProcess

LISTENING = "00010000"  # the flag __SO_ACCEPTCON in /proc/net/unix
SYSTEMD_PID = "1"


def explain_no_access(user: str, path: Path) -> str:
    """Return why this account may not connect to this socket file; empty when it may, or when it is not known.

    Connecting takes the permission to write to the socket and to search each folder above it: unix(7).
    """
    if os.geteuid() != 0:  # an nginx that root did not start cannot change its user either
        user = find_user_name(os.geteuid())
    try:
        account = pwd.getpwnam(user)
    except KeyError:
        return ""
    if account.pw_uid == 0:
        return ""
    groups = {account.pw_gid, *(group.gr_gid for group in grp.getgrall() if user in group.gr_mem)}
    for entry in [*reversed(path.parents), path]:
        try:
            status = entry.stat()
        except OSError:
            return ""  # a missing file is another cause
        shift = 6 if status.st_uid == account.pw_uid else 3 if status.st_gid in groups else 0
        needed = 0o2 if entry == path else 0o1
        if not status.st_mode >> shift & needed:
            owner = f"{find_user_name(status.st_uid)}:{find_group_name(status.st_gid)}"
            return f"{entry} is {stat.filemode(status.st_mode)} {owner}, and nginx runs as {user}"
    return ""


def find_user_name(uid: int) -> str:
    """Return the account's name, or its number when it has no name."""
    with suppress(KeyError):
        return pwd.getpwuid(uid).pw_name
    return str(uid)


def find_group_name(gid: int) -> str:
    """Return the group's name, or its number when it has no name."""
    with suppress(KeyError):
        return grp.getgrgid(gid).gr_name
    return str(gid)


def find_listener(path: str) -> ServerProcess | None:
    """Return the process that listens on a unix socket, or None when there is none or it may not be seen.

    systemd, which may hold the socket as well, does not count.
    """
    inode = ""
    with suppress(OSError):
        for line in Path("/proc/net/unix").read_text().splitlines()[1:]:
            columns = line.split()
            if len(columns) > 7 and columns[7] == path and columns[3] == LISTENING:
                inode = columns[6]
    if not inode:
        return None
    for folder in Path("/proc").glob("[0-9]*"):
        if folder.name == SYSTEMD_PID:
            continue
        with suppress(OSError):
            if any(os.readlink(descriptor) == f"socket:[{inode}]" for descriptor in folder.glob("fd/*")):
                return read_process(folder)
    return None


def read_process(folder: Path) -> ServerProcess:
    """Return the process of a folder of /proc. Raises OSError when it has ended or may not be seen."""
    command = (folder / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace").strip()
    limit = re.search(r"Max open files\s+(\d+)", (folder / "limits").read_text())
    open_files = sum(1 for _ in folder.glob("fd/*"))
    return ServerProcess(int(folder.name), command, open_files, int(limit[1]) if limit else 0)
