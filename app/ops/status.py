"""The state of each part of the site, for the first page of the administration."""

import time
from typing import NamedTuple

import redis
from django.conf import settings
from django.db import Error as DatabaseError
from django.template.defaultfilters import filesizeformat
from django.utils.formats import number_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from channels_realtime import heartbeat, redis_clients
from channels_realtime.conf import options
from channels_stack import certificate, disk_space, health


class StatusPart(NamedTuple):
    """One part of the site; `well` is False when an administrator should act."""

    part: str
    text: str
    well: bool


def get_status() -> list[StatusPart]:
    """Return all parts. The text of one that does not answer is the error."""
    release = StatusPart(_("Release"), settings.RELEASE, well=True)
    return [release, check_database(), *check_redis_and_sockets(), check_disks(), check_certificate()]


def check_database() -> StatusPart:
    """Return how fast the database answers a query."""
    started = time.perf_counter()
    try:
        health.check_database()
    except DatabaseError as error:
        return StatusPart(_("Database"), str(error), well=False)
    return StatusPart(_("Database"), _answers(started), well=True)


def check_redis_and_sockets() -> list[StatusPart]:
    """Return how fast Redis answers, and which servers have how many WebSockets open."""
    if not options().redis_url:
        return [StatusPart("Redis", _("not used: one process serves the site"), well=True)]
    try:
        with redis_clients.connect() as client:
            client.ping()  # connects before the time is taken
            started = time.perf_counter()
            servers = heartbeat.load_servers(client)
    except (redis.RedisError, OSError) as error:
        return [
            StatusPart("Redis", str(error), well=False),
            StatusPart(_("WebSockets"), _("unknown without Redis"), well=False),
        ]
    count = sum(report.sockets for report in servers.healthy.values())
    total = ngettext("%(count)s on %(servers)d server", "%(count)s on %(servers)d servers", len(servers.healthy))
    sockets = [total % {"count": number_format(count, force_grouping=True), "servers": len(servers.healthy)}]
    for name, report in servers.stale.items():
        sockets.append(
            _("no heartbeat from %(name)s for %(seconds)d s") % {"name": name, "seconds": time.time() - report.at}
        )
    return [
        StatusPart("Redis", _answers(started), well=True),
        StatusPart(_("WebSockets"), "; ".join(sockets), well=bool(servers.healthy) and not servers.stale),
    ]


def check_disks() -> StatusPart:
    """Return how much room the fullest file system of the site has."""
    disks = disk_space.measure_disks()
    fullest = min(disks, key=lambda disk: disk.free_bytes)
    text = _("%(free)s free at %(path)s") % {"free": filesizeformat(fullest.free_bytes), "path": fullest.path}
    scarce = [disk for disk in disks if disk.is_low]
    return StatusPart(_("Disk"), "; ".join(map(str, scarce)) or text, well=not scarce)


def check_certificate() -> StatusPart:
    """Return how long the certificate is valid, by the doctor's newest report."""
    stored = certificate.load_report()
    if stored is None:
        return StatusPart(_("Certificate"), _("the doctor has not run yet"), well=True)
    days, code = stored.report.certificate_days, stored.report.exit_code
    text = _("expiry unknown") if days is None else ngettext("%d day left", "%d days left", round(days)) % days
    if code:
        text += "; " + _("the doctor exited with code %(code)d, see %(file)s") % {
            "code": code,
            "file": "deploy/README.md",
        }
    return StatusPart(
        _("Certificate"), f"{text} ({_ago(stored.written_at)})", well=not code and (days is None or days >= RENEW_DAYS)
    )


RENEW_DAYS = 14  # as in deploy/doctor/causes/network.py, which warns from then on


def _answers(started: float) -> str:
    return _("answers in %.1f ms") % ((time.perf_counter() - started) * 1000)


def _ago(moment: float) -> str:
    minutes = (time.time() - moment) / 60
    return _("%d min ago") % minutes if minutes < 120 else _("%d h ago") % (minutes / 60)
