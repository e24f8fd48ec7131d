"""Health checks: /livez says whether the process is alive, /readyz whether it can do its work."""

from collections.abc import Callable
from functools import cache

from django.conf import settings
from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from django.http import HttpRequest, HttpResponse, JsonResponse

from realtime import heartbeat, redis_clients, shutdown


def livez(request: HttpRequest) -> HttpResponse:
    """Answer 200 as long as the process answers at all."""
    return HttpResponse("ok\n", content_type="text/plain")


def readyz(request: HttpRequest) -> JsonResponse:
    """Answer 200 when every fatal check passes, else 503.

    The JSON has `ready`, the names of the `fatal` checks, and each check's result: "ok" or the reason of its failure.
    """
    results = {name: _result_of(check) for name, check in FATAL_CHECKS.items()}
    is_ready = all(result == "ok" for result in results.values())
    # The others carry the sockets of a server that is gone, so this one is no less ready for it.
    socket_servers = (
        _result_of(check_socket_servers) if results["redis_round_trip"] == "ok" else "unknown while Redis is away"
    )
    answer = {"ready": is_ready, **results, "socket_servers": socket_servers, "fatal": list(results)}
    return JsonResponse(answer, status=200 if is_ready else 503)


def check_database() -> None:
    """Run a query. Raises django.db.Error."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")


def check_migrations() -> None:
    """Raise RuntimeError with the names of migrations that are not applied."""
    missing = _missing_migrations()
    if missing:
        _missing_migrations.cache_clear()  # they may be applied any moment
        raise RuntimeError(f"not applied: {', '.join(missing)}")


@cache
def _missing_migrations() -> tuple[str, ...]:
    executor = MigrationExecutor(connection)
    plan = executor.migration_plan(executor.loader.graph.leaf_nodes())
    return tuple(f"{migration.app_label}.{migration.name}" for migration, _ in plan)


def check_redis() -> None:
    """Send a PING, where the site has a Redis. Raises redis.RedisError or OSError."""
    if settings.REDIS_URL:
        with redis_clients.connect() as client:
            client.ping()


def check_not_draining() -> None:
    """Raise RuntimeError while the server is draining."""
    if shutdown.draining.is_set():
        raise RuntimeError("the server is restarting")


def check_socket_servers() -> None:
    """Raise RuntimeError when a server of WebSockets has sent no heartbeat for some seconds."""
    if settings.REDIS_URL:
        with redis_clients.connect() as client:
            servers = heartbeat.load_servers(client)
        if servers.stale:
            total = len(servers.stale) + len(servers.healthy)
            raise RuntimeError(f"{len(servers.stale)} of {total} WebSocket servers sent no heartbeat")


FATAL_CHECKS: dict[str, Callable[[], None]] = {
    "database": check_database,
    "migrations": check_migrations,
    "redis_round_trip": check_redis,
    "not_leaving": check_not_draining,
}


def _result_of(check: Callable[[], None]) -> str:
    try:
        check()
    except Exception as error:  # a health check reports every failure
        return f"{type(error).__name__}: {error}"
    return "ok"
