"""Is this process alive, and can it do its work?"""

from collections.abc import Callable
from functools import cache

from django.conf import settings
from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from django.http import HttpRequest, HttpResponse, JsonResponse

from realtime import heartbeat, redis_clients, shutdown


def livez(request: HttpRequest) -> HttpResponse:
    """200 as long as the process answers at all."""
    return HttpResponse("ok\n", content_type="text/plain")


def readyz(request: HttpRequest) -> JsonResponse:
    """200 when every part that is fatal answers, else 503. Each part says "ok" or what stands in the way."""
    fatal = {check.__name__: _say(check) for check in (database, migrations, redis_round_trip, not_leaving)}
    others = _say(socket_servers) if fatal["redis_round_trip"] == "ok" else "unknown while Redis is away"
    ready = all(answer == "ok" for answer in fatal.values())
    said = {"ready": ready, **fatal, "socket_servers": others, "fatal": list(fatal)}
    return JsonResponse(said, status=200 if ready else 503)


def database() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")


def migrations() -> None:
    missing = _missing_migrations()
    if missing:
        _missing_migrations.cache_clear()  # they may be applied any moment
        raise RuntimeError(f"not applied: {', '.join(missing)}")


@cache
def _missing_migrations() -> tuple[str, ...]:
    executor = MigrationExecutor(connection)
    plan = executor.migration_plan(executor.loader.graph.leaf_nodes())
    return tuple(f"{migration.app_label}.{migration.name}" for migration, _ in plan)


def redis_round_trip() -> None:
    if settings.REDIS_URL:
        with redis_clients.connect() as client:
            client.ping()


def not_leaving() -> None:
    if shutdown.draining.is_set():
        raise RuntimeError("the server is restarting")


def socket_servers() -> None:
    """The others carry the sockets of one that is gone, so this server is no less ready for it."""
    if settings.REDIS_URL:
        with redis_clients.connect() as client:
            servers = heartbeat.load_servers(client)
        if servers.stale:
            raise RuntimeError(f"{len(servers.stale)} of {len(servers.stale) + len(servers.healthy)} fell silent")


def _say(check: Callable[[], None]) -> str:
    try:
        check()
    except Exception as error:  # a probe reports whatever stands in the way
        return f"{type(error).__name__}: {error}"
    return "ok"
