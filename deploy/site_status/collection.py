"""Measures the status of a site on its host, as root: `collect_status`. It only reads."""

import http.client
import json
import os
import re
import socket
import ssl
import subprocess
import time
import tomllib
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from deploy.processes import PROC, PROJECT_FOLDERS, read_variable, run_systemctl
from deploy.site_status.problems import find_problems
from deploy.site_status.report import (
    Backup,
    Certificate,
    Disk,
    DoctorVisit,
    Health,
    Machine,
    Release,
    Server,
    SiteStatus,
    Timer,
)
from deploy.unix_http import UnixSocketConnection, fetch

ANSWER_TIMEOUT_SECONDS = 5
OPENSSL_TIMEOUT_SECONDS = 10
BACKUP_INTERVAL_SECONDS = 24 * 3600  # of systemd/backup.timer
SERVICE_PROPERTIES = "Id,ActiveState,SubState,NRestarts,MainPID,ActiveEnterTimestamp"
OPEN_SOCKETS = re.compile(r"^channels_sockets_open (\S+)$", re.M)


NOT_ROOT = (
    "only root may look at a site, and this user cannot use sudo without a password;"
    " on the host type: sudo /opt/{site}/current/deploy/status"
)


class SiteNotFound(Exception):
    """The host has no such site, or it cannot be inspected. The text says why."""


@dataclass(frozen=True)
class SitePaths:
    """Where a host has the files of a site. `base` is the root of the file system."""

    name: str
    base: Path = Path("/")

    @property
    def root(self) -> Path:
        """The folder of the releases and of the links `current` and `previous`."""
        return self.base / "opt" / self.name

    @property
    def settings(self) -> Path:
        """The file of the variables that are not secret."""
        return self.base / "etc" / self.name / f"{self.name}.env"

    @property
    def units(self) -> Path:
        """The folder of systemd's units."""
        return self.base / "etc/systemd/system"

    @property
    def backups(self) -> Path:
        """The folder of the backups."""
        return self.base / "var/backups" / self.name

    @property
    def state(self) -> Path:
        """The folder of what the site writes."""
        return self.base / "var/lib" / self.name

    @property
    def doctor_report(self) -> Path:
        """The report of the hourly doctor."""
        return self.base / "var/lib" / f"{self.name}-doctor" / "report.json"

    def socket(self, name: str) -> Path:
        """Return the unix socket of a server: web, ws1, ws2, ..."""
        return self.base / "run" / self.name / f"{name}.sock"


def collect_status(site: SitePaths) -> SiteStatus:
    """Return the status of a site of this host, with its problems.

    Raises:
        SiteNotFound: the host has no such site, or this process may not read its files.
    """
    began = time.perf_counter()
    if not site.root.is_dir():
        sites = ", ".join(list_sites(site)) or "none"
        raise SiteNotFound(f"this host has no site {site.name!r} (it has: {sites})")
    # The settings are public, and what follows is not: without these folders a healthy site would look broken.
    for folder in (site.socket("web").parent, site.backups):
        if folder.exists() and not os.access(folder, os.R_OK | os.X_OK):
            raise SiteNotFound(NOT_ROOT.format(site=site.name))
    try:
        host = (read_variable(site.settings, "SITE_HOSTS") or read_variable(site.settings, "ALLOWED_HOSTS")).split(",")[
            0
        ]
    except PermissionError:
        raise SiteNotFound(NOT_ROOT.format(site=site.name)) from None
    except FileNotFoundError:
        raise SiteNotFound(f"the site {site.name!r} is not complete: {site.settings} is missing") from None
    with ThreadPoolExecutor() as pool:  # what hangs must not make the rest wait
        health = pool.submit(read_health, site, host)
        certificate = pool.submit(read_certificate, host)
        servers = pool.submit(read_servers, site, host)
        status = SiteStatus(
            site=site.name,
            url=f"https://{host}",
            measured_at=time.time(),
            seconds=0,
            release=read_release(site),
            health=health.result(),
            servers=servers.result(),
            machine=read_machine(site),
            certificate=certificate.result(),
            backup=find_backup(site),
            backups_expected=is_backup_expected(site),
            doctor=read_doctor_visit(site),
            failed_units=list_failed_units(site),
            timers=read_timers(site),
            under_maintenance=(site.state / "maintenance").exists(),
        )
    status = replace(status, seconds=round(time.perf_counter() - began, 2))
    return replace(status, problems=tuple(find_problems(status)))


def list_sites(site: SitePaths) -> list[str]:
    """Return the names of all sites of the host."""
    return sorted(folder.name for folder in (site.base / "opt").iterdir() if (folder / "current").is_symlink())


def read_release(site: SitePaths) -> Release:
    """Return which release serves, since when, and which one served before."""
    current, previous = site.root / "current", site.root / "previous"
    since = current.lstat().st_mtime if current.is_symlink() else None
    return Release(
        serving=current.readlink().name if current.is_symlink() else None,
        previous=previous.readlink().name if previous.is_symlink() else None,
        since=since,
        stack=read_stack_version(current),
    )


def read_stack_version(release: Path) -> str:
    """Return the version of the stack in a release of this repository; "" in one of a project, which has none."""
    try:
        return str(tomllib.loads((release / "pyproject.toml").read_text())["project"]["version"])
    except (OSError, KeyError, tomllib.TOMLDecodeError):
        return ""


def read_health(site: SitePaths, host: str) -> Health:
    """Ask the server of pages for /readyz."""
    try:
        _, body = fetch(UnixSocketConnection(site.socket("web"), ANSWER_TIMEOUT_SECONDS, host), "/readyz")
        answer = json.loads(body)
        named = {"ready", "fatal", "warnings"}
        return Health(
            ready=answer["ready"] is True,
            checks={name: str(result) for name, result in answer.items() if name not in named},
            fatal=tuple(answer["fatal"]),
            warnings=tuple(answer.get("warnings", ())),
        )
    except (OSError, http.client.HTTPException) as error:
        return Health(ready=False, checks={}, fatal=(), warnings=(), error=describe_error(error))
    except (ValueError, KeyError, TypeError, AttributeError):
        return Health(ready=False, checks={}, fatal=(), warnings=(), error="/readyz does not answer with its JSON")


def describe_error(error: Exception) -> str:
    """Return an error in a few words."""
    if isinstance(error, TimeoutError):
        return f"no answer within {ANSWER_TIMEOUT_SECONDS} s"
    return (error.strerror if isinstance(error, OSError) else None) or repr(error)


def read_servers(site: SitePaths, host: str) -> tuple[Server, ...]:
    """Return the enabled services of the site, the server of pages first."""
    wanted = {site.name + "-redis.service"} if (site.units / f"{site.name}-redis.service").exists() else set()
    wanted |= {link.name for link in (site.units / f"{site.name}.target.wants").glob(f"{site.name}-*.service")}
    shown = show_units(own_units(site, wanted), SERVICE_PROPERTIES)
    order = sorted(shown, key=lambda unit: (unit["Id"] != f"{site.name}-web.service", unit["Id"]))
    with ThreadPoolExecutor() as pool:
        return tuple(pool.map(lambda unit: read_server(site, host, unit), order))


def read_server(site: SitePaths, host: str, shown: dict[str, str]) -> Server:
    """Return one service, from the properties that systemd shows of it."""
    unit, sockets = shown["Id"], None
    if unit.startswith(f"{site.name}-ws@"):
        path = site.socket(unit.removeprefix(f"{site.name}-").removesuffix(".service").replace("@", ""))
        with suppress(OSError, http.client.HTTPException):
            _, metrics = fetch(UnixSocketConnection(path, ANSWER_TIMEOUT_SECONDS, host), "/metrics")
            found = OPEN_SOCKETS.search(metrics)
            sockets = int(float(found[1])) if found else None
    return Server(
        unit=unit,
        state=f"{shown['ActiveState']} ({shown['SubState']})",
        restarts=int(shown["NRestarts"] or 0),
        since=parse_time(shown["ActiveEnterTimestamp"]),
        release=find_release(site, shown["MainPID"]),
        sockets=sockets,
    )


def find_release(site: SitePaths, pid: str) -> str | None:
    """Return the release in whose folder a process runs (deploy/run-in-release), or None."""
    with suppress(OSError):
        folder = (PROC / pid / "cwd").readlink()
        for release in (site.root / "releases").iterdir():
            if folder in [(release / name).resolve() for name in PROJECT_FOLDERS]:
                return release.name
    return None


def show_units(units: Iterable[str], properties: str) -> list[dict[str, str]]:
    """Return the properties of units, by their names. A time is "@" and seconds since 1970."""
    names = sorted(units)
    if not names:
        return []
    printed = run_systemctl("show", "--timestamp=unix", f"--property={properties}", *names).stdout
    blocks = [block for block in printed.strip().split("\n\n") if block]
    return [dict(line.split("=", 1) for line in block.splitlines() if "=" in line) for block in blocks]


def own_units(site: SitePaths, units: Iterable[str]) -> set[str]:
    """Return the units of this site alone: those of a site `a-b` also begin with `a-`."""
    others = [f"{name}-" for name in list_sites(site) if name.startswith(f"{site.name}-")]
    return {unit for unit in units if not unit.startswith(tuple(others))} if others else set(units)


def parse_time(text: str) -> float | None:
    """Return a time that `systemctl show --timestamp=unix` prints, or None where there is none."""
    return float(text[1:]) if re.fullmatch(r"@\d+(\.\d+)?", text) else None


def parse_microseconds(moment: int | None) -> float | None:
    """Return a time that `systemctl list-timers` prints as JSON, in seconds, or None where there is none."""
    return moment / 1_000_000 if moment else None


def list_failed_units(site: SitePaths) -> tuple[str, ...]:
    """Return the units of the site that have failed."""
    pattern = f"{site.name}-*"
    printed = run_systemctl("list-units", "--state=failed", "--plain", "--no-legend", "--full", pattern).stdout
    return tuple(sorted(own_units(site, (line.split()[0] for line in printed.splitlines() if line.strip()))))


def read_timers(site: SitePaths) -> tuple[Timer, ...]:
    """Return the timers of the site and the one that renews certificates, in the order of their next run."""
    names = own_units(site, (file.name for file in site.units.glob(f"{site.name}-*.timer"))) | {
        "certbot.timer",
        f"certbot-{site.name}.timer",  # there until the site has its first certificate
    }
    printed = run_systemctl("list-timers", "--all", "--output=json", *sorted(names)).stdout
    try:
        listed = json.loads(printed)
    except ValueError:  # a systemd that is too old
        return ()
    timers = [
        Timer(timer["unit"], parse_microseconds(timer["next"]), parse_microseconds(timer["last"])) for timer in listed
    ]
    return tuple(sorted(timers, key=lambda timer: (timer.next is None, timer.next or 0, timer.unit)))


def read_machine(site: SitePaths) -> Machine:
    """Return the memory, the load and the disks of this host."""
    memory = {
        name: int(value.split()[0]) * 1024
        for name, _, value in (line.partition(":") for line in (PROC / "meminfo").read_text().splitlines())
        if value.split()
    }
    return Machine(
        name=socket.gethostname(),
        uptime=float((PROC / "uptime").read_text().split()[0]),
        load=float((PROC / "loadavg").read_text().split()[0]),
        cpus=len(os.sched_getaffinity(0)),
        memory=memory["MemTotal"],
        available_memory=memory["MemAvailable"],
        disks=measure_disks(site),
    )


def measure_disks(site: SitePaths) -> tuple[Disk, ...]:
    """Return each file system that has the system, the database, the uploads or the backups, each once."""
    found: dict[int, Disk] = {}
    for folder in (site.base, site.base / "var/lib/postgresql", site.state, site.backups):
        with suppress(OSError):
            numbers = os.statvfs(folder)
            disk = Disk(
                str(folder),
                numbers.f_bavail * numbers.f_frsize,
                numbers.f_blocks * numbers.f_frsize,
                numbers.f_favail,
                numbers.f_files,
            )
            found.setdefault(folder.stat().st_dev, disk)
    return tuple(found.values())


def read_certificate(host: str, port: int = 443) -> Certificate:
    """Return the certificate that nginx shows on this host to a visitor of the site."""
    any_certificate = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    any_certificate.check_hostname, any_certificate.verify_mode = False, ssl.CERT_NONE
    try:
        with (
            socket.create_connection(("127.0.0.1", port), ANSWER_TIMEOUT_SECONDS) as plain,
            any_certificate.wrap_socket(plain, server_hostname=host) as encrypted,
        ):
            content = encrypted.getpeercert(binary_form=True) or b""
        return parse_certificate(ssl.DER_cert_to_PEM_cert(content))
    except (OSError, subprocess.SubprocessError, ValueError) as error:
        return Certificate(None, "", is_self_signed=False, error=f"port {port}: {describe_error(error)}")


def parse_certificate(pem: str) -> Certificate:
    """Return what openssl says of a certificate. Raises OSError, SubprocessError and ValueError."""
    shown = subprocess.run(
        ["openssl", "x509", "-noout", "-enddate", "-subject", "-issuer", "-nameopt", "multiline,utf8,-esc_msb"],
        input=pem,
        capture_output=True,
        text=True,
        timeout=OPENSSL_TIMEOUT_SECONDS,
        check=True,
    ).stdout
    head, _, issuer = shown.partition("issuer=")
    end = re.search(r"notAfter=(.*)", head)
    if not end:
        raise ValueError("openssl shows no end of the certificate")
    ends = ssl.cert_time_to_seconds(end[1])
    names: dict[str, str] = dict(re.findall(r"^\s+(\w+)\s+= (.*)$", issuer, re.M))
    organisation, common = names.get("organizationName", ""), names.get("commonName", "")
    issuer_name = f"{organisation} {common}".strip() if organisation not in common else common
    subject = head.partition("subject=")[2]
    is_self_signed = subject.split() == issuer.split()
    return Certificate(round((ends - time.time()) / 86400, 1), issuer_name, is_self_signed)


def find_backup(site: SitePaths) -> Backup | None:
    """Return the newest backup; its time is in its name."""
    for dump in sorted(site.backups.glob(f"{site.name}-*.dump"), reverse=True):
        with suppress(ValueError, OSError):
            made = datetime.strptime(dump.name, f"{site.name}-%Y%m%dT%H%M%SZ.dump").replace(tzinfo=UTC)
            media = dump.with_suffix(".media.tar")
            size = dump.stat().st_size + (media.stat().st_size if media.exists() else 0)
            return Backup(dump.name, made.timestamp(), size)
    return None


def is_backup_expected(site: SitePaths) -> bool:
    """Return whether a night has passed since the site was set up."""
    try:
        return time.time() - (site.units / f"{site.name}-backup.timer").stat().st_mtime > BACKUP_INTERVAL_SECONDS
    except OSError:
        return True  # the timer itself is missing


def read_doctor_visit(site: SitePaths) -> DoctorVisit | None:
    """Return what the hourly doctor found last, or None."""
    try:
        report = json.loads(site.doctor_report.read_text())
        return DoctorVisit(int(report["exit_code"]), report["broken"] or "", site.doctor_report.stat().st_mtime)
    except (OSError, ValueError, KeyError, TypeError):
        return None
