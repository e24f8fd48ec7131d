"""Health checks: /livez says whether the process is alive, /readyz whether it can do its work."""

import asyncio
from collections.abc import Callable
from functools import cache
from typing import Any

from asgiref.sync import async_to_sync
from channels import DEFAULT_CHANNEL_LAYER
from channels.layers import channel_layers, get_channel_layer
from django.conf import settings
from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from django.http import HttpRequest, HttpResponse, JsonResponse

from channels_realtime import heartbeat, redis_clients, shutdown
from channels_realtime.conf import options
from channels_stack import disk_space

LAYER_TIMEOUT_SECONDS = 2  # for a message to pass the channel layer


def livez(request: HttpRequest) -> HttpResponse:
    """Answer 200 as long as the process answers at all."""
    return HttpResponse("ok\n", content_type="text/plain")


def readyz(request: HttpRequest) -> JsonResponse:
    """Answer 200 when every fatal check passes, else 503.

    The JSON has `ready`, the names of the `fatal` checks, each check's result: "ok" or the reason of its failure, and
    `warnings`, a line for each disk on which space should be freed before that check fails.
    """
    results = {name: _result_of(check) for name, check in get_fatal_checks().items()}
    is_ready = all(result == "ok" for result in results.values())
    # The others carry the sockets of a server that is gone, so this one is no less ready for it.
    socket_servers = (
        _result_of(check_socket_servers) if results["redis_round_trip"] == "ok" else "unknown while Redis is away"
    )
    answer = {
        "ready": is_ready,
        **results,
        "socket_servers": socket_servers,
        "fatal": list(results),
        "warnings": disk_space.list_warnings(),
    }
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
    if options().redis_url:
        with redis_clients.connect() as client:
            client.ping()


def check_channel_layer() -> None:
    """Send a message through the default channel layer and receive it, where the project has one.

    Raises:
        TimeoutError: The message did not arrive within LAYER_TIMEOUT_SECONDS.
        Exception: Whatever the layer raises.
    """
    layer = get_channel_layer()
    if layer is not None:
        # The receiving side of channels_redis.core belongs to one event loop at a time, and may stay locked when that
        # loop ends. Each thread of gunicorn has a loop of its own, so the check has a layer of its own.
        if closes_pools := hasattr(type(layer), "close_pools"):
            layer = channel_layers.make_backend(DEFAULT_CHANNEL_LAYER)
        async_to_sync(_exchange_message)(layer, closes_pools=closes_pools)


async def _exchange_message(layer: Any, *, closes_pools: bool) -> None:
    try:
        async with asyncio.timeout(LAYER_TIMEOUT_SECONDS):
            await _send_to_self(layer)
    except TimeoutError as error:
        raise TimeoutError(f"no message arrived within {LAYER_TIMEOUT_SECONDS} s") from error
    finally:
        if closes_pools:
            await layer.close_pools()


async def _send_to_self(layer: Any) -> None:
    channel = await layer.new_channel()
    arrived = asyncio.Event()

    async def receive() -> None:
        while True:
            await layer.receive(channel)
            arrived.set()

    receiver, arrival = asyncio.ensure_future(receive()), asyncio.ensure_future(arrived.wait())
    try:
        await layer.send(channel, {"type": "stack.probe"})
        await asyncio.wait((receiver, arrival), return_when=asyncio.FIRST_COMPLETED)
        if receiver.done():
            receiver.result()  # raises
    finally:
        receiver.cancel()  # a layer forgets a channel when its receiver is cancelled
        arrival.cancel()
        await asyncio.wait((receiver, arrival))


def check_not_draining() -> None:
    """Raise RuntimeError while the server is draining."""
    if shutdown.draining.is_set():
        raise RuntimeError("the server is restarting")


def check_socket_servers() -> None:
    """Raise RuntimeError when a server of WebSockets has sent no heartbeat for some seconds."""
    if options().redis_url:
        with redis_clients.connect() as client:
            servers = heartbeat.load_servers(client)
        if servers.stale:
            total = len(servers.stale) + len(servers.healthy)
            raise RuntimeError(f"{len(servers.stale)} of {total} WebSocket servers sent no heartbeat")


FATAL_CHECKS: dict[str, Callable[[], None]] = {
    "database": check_database,
    "migrations": check_migrations,
    "disk": disk_space.check_disks,
    "redis_round_trip": check_redis,
    "not_leaving": check_not_draining,
}
# The chat goes on without its channel layer; the consumers of other projects do not.
PROJECT_CHECKS: dict[str, Callable[[], None]] = {"channel_layer": check_channel_layer}


def get_fatal_checks() -> dict[str, Callable[[], None]]:
    """Return the checks that must pass before this process is ready."""
    is_project = hasattr(settings, "STACK_SITE")  # the settings overlay sets it
    return FATAL_CHECKS | PROJECT_CHECKS if is_project else FATAL_CHECKS


def _result_of(check: Callable[[], None]) -> str:
    try:
        check()
    except Exception as error:  # a health check reports every failure
        return f"{type(error).__name__}: {error}"
    return "ok"
