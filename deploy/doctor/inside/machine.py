"""Looks around on the machine; what it may not see becomes a note, never an error. Changes nothing."""

import grp
import os
import pwd
import re
import shlex
import socket
import stat
import subprocess
from contextlib import suppress
from importlib import metadata
from pathlib import Path

from deploy.doctor.inside import logs as log_files
from deploy.doctor.inside import nginx, servers
from deploy.doctor.inside.seen import Inside, Process
from deploy.doctor.seen import Seen
from deploy.doctor.wire import Target, handshake

PACKAGES = ("channels", "channels-redis", "redis", "daphne", "django", "gunicorn", "uvicorn")
ENV_FILE = Path("/etc/parley/parley.env")


def look(seen: Seen, *, nginx_command: str, logs: list[Path], redis_url: str, postgres: str) -> Inside:
    """Everything that needs no hop to be well; the handshakes follow in knock(), for the way of the hops."""
    inside = Inside()
    configuration(inside, seen, nginx_command)
    for upstream in inside.nginx.upstreams if inside.nginx else []:
        if upstream.startswith("/"):
            closed = closed_to(inside.nginx.user, Path(upstream)) if inside.nginx else ""
            if closed:
                inside.closed_to_nginx[upstream] = closed
            if found := listener(upstream):
                inside.processes[upstream] = found
    inside.names = {name: addresses(name) for name in sorted(inside.nginx.names)} if inside.nginx else {}
    log_files.begin(inside, logs)
    servers.redis(inside, redis_url or variable("REDIS_URL"), seen.asked.patience)
    servers.postgres(inside, postgres, seen.asked.patience)
    inside.versions = versions(inside.processes)
    inside.clock = log_files.said("timedatectl", "show", "--property=NTPSynchronized", "--value")
    inside.selinux = log_files.said("getenforce")
    return inside


def knock(seen: Seen, inside: Inside) -> None:
    """One handshake at each hop behind the name: this machine's own port, then every upstream."""
    asked = seen.asked
    origin = f"https://{seen.target('127.0.0.1').authority}"
    local = handshake(seen.target("127.0.0.1"), asked.ws_path, asked.patience, origin=origin)
    inside.local = local
    for upstream in inside.nginx.upstreams if inside.nginx else []:
        host, _, port = upstream.rpartition(":")
        there = Target(asked.host, asked.port, upstream, None)
        if not upstream.startswith("/"):
            if not port.isdigit():
                continue
            there = Target(asked.host, int(port), host.strip("[]"), None)
        inside.direct[upstream] = handshake(there, asked.ws_path, asked.patience, origin=origin)
    for reply in (local, *inside.direct.values()):
        if reply.line:
            reply.line.close()


def configuration(inside: Inside, seen: Seen, command: str) -> None:
    try:
        done = subprocess.run([*shlex.split(command), "-T"], capture_output=True, text=True, timeout=10, check=False)
        inside.nginx = nginx.read(done.stdout, seen.asked.host, seen.asked.ws_path)
    except (OSError, ValueError, subprocess.TimeoutExpired) as error:
        inside.notes.append(f"nginx's configuration: {error}; run it as root")


def versions(servers: dict[str, Process]) -> dict[str, str]:
    """Of what the servers of the sockets have installed; where they are not seen, of our own Python."""
    homes = {Path(one.command.split(" ")[0]).parent.parent for one in servers.values()}
    folders = [str(folder) for home in homes for folder in home.glob("lib/python*/site-packages")]
    found = metadata.distributions(path=folders) if folders else metadata.distributions()
    names = {one.name.lower().replace("_", "-"): one.version for one in found if one.name}
    return {name: names[name] for name in PACKAGES if name in names}


def addresses(name: str) -> list[str]:
    with suppress(OSError, UnicodeError):
        return sorted({str(entry[4][0]) for entry in socket.getaddrinfo(name, None)})
    return []


def variable(name: str) -> str:
    """As the servers get it: from our environment, else from their file."""
    if found := os.environ.get(name):
        return found
    with suppress(OSError):
        for line in ENV_FILE.read_text().splitlines():
            if line.startswith(f"{name}="):
                return line.partition("=")[2].strip("'\"")
    return ""


def closed_to(user: str, path: Path) -> str:
    """Why this account may not connect to this socket file; empty when it may."""
    if os.geteuid() != 0:  # nginx started by somebody else cannot become its user either
        user = name_of(os.geteuid())
    try:
        account = pwd.getpwnam(user)
    except KeyError:
        return ""
    if account.pw_uid == 0:
        return ""
    groups = {account.pw_gid, *(group.gr_gid for group in grp.getgrall() if user in group.gr_mem)}
    for one in [*reversed(path.parents), path]:
        try:
            info = one.stat()
        except FileNotFoundError:
            return ""  # missing is another cause
        except OSError:
            return ""
        shift = 6 if info.st_uid == account.pw_uid else 3 if info.st_gid in groups else 0
        needed = 0o2 if one == path else 0o1
        if not info.st_mode >> shift & needed:
            owner = f"{name_of(info.st_uid)}:{group_of(info.st_gid)}"
            return f"{one} is {stat.filemode(info.st_mode)} {owner}, and nginx runs as {user}"
    return ""


def name_of(uid: int) -> str:
    with suppress(KeyError):
        return pwd.getpwuid(uid).pw_name
    return str(uid)


def group_of(gid: int) -> str:
    with suppress(KeyError):
        return grp.getgrgid(gid).gr_name
    return str(gid)


def listener(path: str) -> Process | None:
    """The process that listens on a unix socket: not systemd, which may hold it as well."""
    inode = ""
    with suppress(OSError):
        for line in Path("/proc/net/unix").read_text().splitlines()[1:]:
            words = line.split()
            if len(words) > 7 and words[7] == path and words[3] == "00010000":
                inode = words[6]
    if not inode:
        return None
    for folder in Path("/proc").glob("[0-9]*"):
        if folder.name == "1":
            continue
        with suppress(OSError):
            if any(os.readlink(one) == f"socket:[{inode}]" for one in folder.glob("fd/*")):
                return process(folder)
    return None


def process(folder: Path) -> Process:
    command = (folder / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace").strip()
    limits = re.search(r"Max open files\s+(\d+)", (folder / "limits").read_text())
    files = sum(1 for _ in folder.glob("fd/*"))
    return Process(int(folder.name), command, files, int(limits[1]) if limits else 0)
