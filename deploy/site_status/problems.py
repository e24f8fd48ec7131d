"""What is wrong with a site, by its measured status: `find_problems`. Each problem has a sentence and a command."""

from collections.abc import Iterator

from deploy.doctor.causes.network import RENEW_DAYS
from deploy.site_status.report import Disk, Problem, Severity, SiteStatus, count_restarts

# As in app/channels_stack/disk_space.py, which needs Django. tests/host/test_status.py compares the numbers.
LOW_SHARE, LOW_BYTES, LOW_INODES_SHARE = 0.10, 2048 * 1024**2, 0.05
LOW_MEMORY_SHARE = 0.05
MAX_BACKUP_AGE_SECONDS = 26 * 3600  # nightly, within a quarter of an hour, and the time that it takes
MAX_DOCTOR_AGE_SECONDS = 3 * 3600  # it runs every hour
EXPECTED_STATE = "active (running)"


def find_problems(status: SiteStatus) -> Iterator[Problem]:
    """Yield everything that is wrong: first what visitors notice."""
    yield from find_release_problems(status)
    yield from find_health_problems(status)
    yield from find_server_problems(status)
    yield from find_certificate_problems(status)
    yield from find_backup_problems(status)
    yield from find_doctor_problems(status)
    yield from find_machine_problems(status)
    running = {server.unit for server in status.servers}
    for unit in status.failed_units:
        if unit not in running:  # that one is named above
            fix = f"`journalctl -u {unit} -n 50`, then `systemctl start {unit}`"
            yield Problem("units", Severity.ERROR, f"The unit {unit} has failed.", fix)


def find_release_problems(status: SiteStatus) -> Iterator[Problem]:
    """Yield what is wrong with the release that serves."""
    if status.release.serving is None:
        yield Problem("release", Severity.ERROR, "No release serves.", "deploy one: `make deploy HOST=...`")
    if status.under_maintenance:
        fix = f"when the work is done: `rm /var/lib/{status.site}/maintenance`"
        yield Problem("release", Severity.WARNING, "The site is closed for maintenance.", fix)


def find_health_problems(status: SiteStatus) -> Iterator[Problem]:
    """Yield the failed checks of /readyz, and its warnings."""
    health, log = status.health, f"`journalctl -u {status.site}-web -n 50`"
    if health.error:
        yield Problem("health", Severity.ERROR, f"gunicorn does not answer /readyz: {health.error}.", log)
    for name, result in health.checks.items():
        if result != "ok":
            severity = Severity.ERROR if name in health.fatal else Severity.WARNING
            fix = f"`journalctl -u '{status.site}-ws@*' -n 50`" if name == "socket_servers" else log
            yield Problem("health", severity, f"The health check {name} fails: {result}.", fix)
    if not any(map(is_low, status.machine.disks)):  # which are named with their sizes
        for warning in health.warnings:
            yield Problem("disk", Severity.WARNING, f"{warning}.", "free space, or enlarge the disk")


def find_server_problems(status: SiteStatus) -> Iterator[Problem]:
    """Yield the services that do not run, do not answer, or run another release than the one that serves."""
    for server in status.servers:
        is_websocket_server = server.unit.startswith(f"{status.site}-ws@")
        part, fix = "sockets" if is_websocket_server else "servers", f"`journalctl -u {server.unit} -n 50`"
        if server.state != EXPECTED_STATE:
            text = f"{server.unit} is {server.state}, after {count_restarts(server.restarts)}."
            yield Problem(part, Severity.ERROR, text, fix)
        elif is_websocket_server and server.sockets is None:
            yield Problem(part, Severity.ERROR, f"{server.unit} runs and does not answer.", fix)
        elif server.release and server.release != status.release.serving:
            text = f"{server.unit} still runs the release {server.release}."
            fix = f"`/opt/{status.site}/current/deploy/release.py restart`"
            yield Problem(part, Severity.WARNING, text, fix)


def find_certificate_problems(status: SiteStatus) -> Iterator[Problem]:
    """Yield a certificate that is missing, ends soon, or that no browser trusts."""
    certificate = status.certificate
    if certificate.error:
        text = f"nginx shows no certificate at {certificate.error}."
        yield Problem("certificate", Severity.ERROR, text, "`systemctl status nginx`, then `nginx -t`")
    elif certificate.is_self_signed:
        text = "The certificate is self-signed: every browser warns of it."
        fix = f"`systemctl start certbot-{status.site}`; if that fails: `journalctl -u certbot-{status.site} -n 50`"
        yield Problem("certificate", Severity.ERROR, text, fix)
    elif certificate.days_left is not None and certificate.days_left < RENEW_DAYS:
        has_ended = certificate.days_left <= 0
        text = "The certificate has expired." if has_ended else "certbot has not renewed the certificate in time."
        fix = f"`certbot renew --cert-name {status.site}`, and `journalctl -u certbot -n 50`"
        yield Problem("certificate", Severity.ERROR if has_ended else Severity.WARNING, text, fix)


def find_backup_problems(status: SiteStatus) -> Iterator[Problem]:
    """Yield a backup that is missing or too old."""
    fix = f"`systemctl start {status.site}-backup`; if that fails: `journalctl -u {status.site}-backup -n 50`"
    if status.backup is None:
        if status.backups_expected:
            yield Problem("backup", Severity.ERROR, "There is no backup.", fix)
    elif status.measured_at - status.backup.made_at > MAX_BACKUP_AGE_SECONDS:
        yield Problem("backup", Severity.ERROR, "The last night made no backup.", fix)


def find_doctor_problems(status: SiteStatus) -> Iterator[Problem]:
    """Yield what the hourly doctor found, and a doctor that does not run."""
    visit, fix = status.doctor, f"`make doctor URL={status.url} HOST=...`"
    if visit is None:
        return
    if visit.exit_code:
        where = f" at {visit.broken}" if visit.broken else ""
        yield Problem("doctor", Severity.ERROR, f"The hourly doctor found the WebSocket lost{where}.", fix)
    if status.measured_at - visit.written_at > MAX_DOCTOR_AGE_SECONDS:
        fix = f"`systemctl start {status.site}-doctor`; if that fails: `journalctl -u {status.site}-doctor -n 50`"
        yield Problem("doctor", Severity.WARNING, "The hourly doctor does not run.", fix)


def find_machine_problems(status: SiteStatus) -> Iterator[Problem]:
    """Yield disks and memory that are nearly full."""
    for disk in filter(is_low, status.machine.disks):
        text = f"{disk.free // 1024**2} of {disk.size // 1024**2} MiB are free at {disk.path}"
        if disk.free_inodes < disk.inodes * LOW_INODES_SHARE:
            text += f", and {disk.free_inodes} of {disk.inodes} inodes"
        fix = f"`du -xh --max-depth=3 {disk.path} | sort -h | tail`, or enlarge the disk"
        yield Problem("disk", Severity.WARNING, f"{text}.", fix)
    if status.machine.available_memory < status.machine.memory * LOW_MEMORY_SHARE:
        text = f"{status.machine.available_memory // 1024**2} MiB of memory are available."
        yield Problem("memory", Severity.WARNING, text, "`ps -eo rss,args --sort=-rss | head`")


def is_low(disk: Disk) -> bool:
    """Return whether space should be freed soon on this file system."""
    return disk.free < min(disk.size * LOW_SHARE, LOW_BYTES) or disk.free_inodes < disk.inodes * LOW_INODES_SHARE
