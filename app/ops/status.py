"""How the site is, in a line for its administrators."""

import time
from typing import NamedTuple

import redis
from django.conf import settings
from django.db import Error as DatabaseError
from django.utils.formats import number_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from ops import certificate, health
from realtime import heartbeat, redis_clients


class Said(NamedTuple):
    """One part of the line."""

    part: str
    text: str
    well: bool


def status() -> list[Said]:
    """Each part in words; what cannot be asked says why."""
    return [Said(_("Release"), settings.RELEASE, well=True), database(), *redis_and_sockets(), seen_by_the_doctor()]


def database() -> Said:
    began = time.perf_counter()
    try:
        health.database()
    except DatabaseError as error:
        return Said(_("Database"), str(error), well=False)
    return Said(_("Database"), _answers(began), well=True)


def redis_and_sockets() -> list[Said]:
    if not settings.REDIS_URL:
        return [Said("Redis", _("none: one process serves all"), well=True)]
    try:
        with redis_clients.connect() as client:
            client.ping()  # connects, which is not to be timed
            began = time.perf_counter()
            servers = heartbeat.load_servers(client)
    except (redis.RedisError, OSError) as error:
        return [Said("Redis", str(error), well=False), Said(_("Sockets"), _("unknown while Redis is away"), well=False)]
    count = sum(report.sockets for report in servers.healthy.values())
    at = ngettext("%(count)s at %(servers)d server", "%(count)s at %(servers)d servers", len(servers.healthy))
    sockets = [at % {"count": number_format(count, force_grouping=True), "servers": len(servers.healthy)}]
    for name, report in servers.stale.items():
        sockets.append(_("%(name)s fell silent %(seconds)d s ago") % {"name": name, "seconds": time.time() - report.at})
    return [
        Said("Redis", _answers(began), well=True),
        Said(_("Sockets"), "; ".join(sockets), well=bool(servers.healthy) and not servers.stale),
    ]


def seen_by_the_doctor() -> Said:
    found = certificate.seen()
    if found is None:
        return Said(_("Certificate"), _("the doctor has not looked yet"), well=True)
    days, code = found.report.certificate_days, found.report.exit_code
    text = _("not known") if days is None else ngettext("%d day left", "%d days left", round(days)) % days
    if code:
        text += "; " + _("the doctor ended with %(code)d, see %(file)s") % {"code": code, "file": "deploy/README.md"}
    return Said(_("Certificate"), f"{text} ({_ago(found.at)})", well=not code and (days is None or days >= RENEW_DAYS))


RENEW_DAYS = 14  # equals that of deploy/doctor/causes/network.py, which warns from then on


def _answers(began: float) -> str:
    return _("answers in %.1f ms") % ((time.perf_counter() - began) * 1000)


def _ago(at: float) -> str:
    minutes = (time.time() - at) / 60
    return _("%d min ago") % minutes if minutes < 120 else _("%d h ago") % (minutes / 60)
