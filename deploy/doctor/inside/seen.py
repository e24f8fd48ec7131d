"""What was seen on the machine."""

import time
from dataclasses import dataclass, field
from pathlib import Path

from deploy.doctor.inside.nginx import Nginx
from deploy.doctor.wire import Reply


@dataclass(frozen=True)
class Process:
    pid: int
    command: str
    files: int
    """Open file descriptors."""
    files_limit: int


@dataclass
class Inside:
    """`notes` says what could not be looked at, and why."""

    notes: list[str] = field(default_factory=list)
    nginx: Nginx | None = None
    local: Reply | None = None
    """The handshake at this machine's own 443, past DNS and firewall."""
    direct: dict[str, Reply] = field(default_factory=dict)
    """The handshake at each upstream of /ws/ itself, past nginx."""
    closed_to_nginx: dict[str, str] = field(default_factory=dict)
    """Socket file -> why nginx's account may not connect to it."""
    processes: dict[str, Process] = field(default_factory=dict)
    """Who listens on each upstream's unix socket."""
    began: float = field(default_factory=time.time)
    log_files: dict[Path, int] = field(default_factory=dict)
    """Log -> its size when we began."""
    earlier: dict[str, list[str]] = field(default_factory=dict)
    """Log -> its last lines before we came."""
    logs: dict[str, list[str]] = field(default_factory=dict)
    """Log -> what was written since: our own requests are in it."""
    logs_are_old: bool = True
    """Whether something was asked since they were read."""
    names: dict[str, list[str]] = field(default_factory=dict)
    """Each name that nginx sends to -> its addresses now."""
    redis: dict[str, str] = field(default_factory=dict)
    """What INFO says."""
    redis_error: str = ""
    postgres: str = ""
    """What PostgreSQL says to somebody who knocks; empty when it was not asked."""
    versions: dict[str, str] = field(default_factory=dict)
    clock: str = ""
    selinux: str = ""
