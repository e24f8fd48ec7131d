"""How the site is, in a line for its administrators."""

import time
from typing import NamedTuple

import redis
from django.conf import settings
from django.db import Error as DatabaseError

from ops import certificate, health
from realtime import clients, heartbeat


class Said(NamedTuple):
    """One part of the line."""

    part: str
    text: str
    well: bool


def status() -> list[Said]:
    """Each part in words; what cannot be asked says why."""
    return [Said("Release", settings.RELEASE, well=True), database(), *redis_and_sockets(), seen_by_the_doctor()]


def database() -> Said:
    began = time.perf_counter()
    try:
        health.database()
    except DatabaseError as error:
        return Said("Database", str(error), well=False)
    return Said("Database", f"answers in {_ms(began)}", well=True)


def redis_and_sockets() -> list[Said]:
    if not settings.REDIS_URL:
        return [Said("Redis", "none: one process serves all", well=True)]
    try:
        with clients.blocking() as client:
            client.ping()  # connects, which is not to be timed
            began = time.perf_counter()
            alive, silent = heartbeat.servers(client)
    except (redis.RedisError, OSError) as error:
        return [Said("Redis", str(error), well=False), Said("Sockets", "unknown while Redis is away", well=False)]
    count = sum(beat.sockets for beat in alive.values())
    missed = [f"{name} fell silent {time.time() - beat.at:.0f} s ago" for name, beat in silent.items()]
    sockets = "; ".join([f"{count:,} at {len(alive)} server{'' if len(alive) == 1 else 's'}", *missed])
    return [
        Said("Redis", f"answers in {_ms(began)}", well=True),
        Said("Sockets", sockets, well=bool(alive) and not silent),
    ]


def seen_by_the_doctor() -> Said:
    found = certificate.seen()
    if found is None:
        return Said("Certificate", "the doctor has not looked yet", well=True)
    days, code = found.report.certificate_days, found.report.exit_code
    text = "not known" if days is None else f"{days:.0f} days left"
    if code:
        text += f"; the doctor ended with {code}, see deploy/README.md"
    return Said("Certificate", f"{text} ({_ago(found.at)})", well=not code and (days is None or days >= RENEW_DAYS))


RENEW_DAYS = 14  # equals that of deploy/doctor/causes/edge.py, which warns from then on


def _ms(began: float) -> str:
    return f"{(time.perf_counter() - began) * 1000:.1f} ms"


def _ago(at: float) -> str:
    minutes = (time.time() - at) / 60
    return f"{minutes:.0f} min ago" if minutes < 120 else f"{minutes / 60:.0f} h ago"
