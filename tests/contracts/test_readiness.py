"""/readyz says whether a process can do its work, or which check fails."""

import json
import socket

import pytest
from django.db import OperationalError, connection
from django.db.migrations.recorder import MigrationRecorder
from django.test import AsyncClient, Client

from channels_realtime import redis_clients, shutdown
from channels_stack import health

pytestmark = pytest.mark.django_db(transaction=True)
FATAL = {"database", "migrations", "disk", "redis_round_trip", "not_leaving"}
PARTS = FATAL | {"socket_servers"}


@pytest.fixture(autouse=True)
def forget():
    """What is known of the migrations."""
    health._missing_migrations.cache_clear()
    yield
    health._missing_migrations.cache_clear()


def asked():
    answer = Client().get("/readyz")
    results = json.loads(answer.content)
    assert set(results) == {"ready", "fatal", "warnings", *PARTS}
    assert set(results["fatal"]) == FATAL
    assert results["ready"] is (answer.status_code == 200)
    return answer.status_code, {part: results[part] for part in FATAL if results[part] != "ok"}


def test_a_process_is_ready_when_every_check_passes():
    assert asked() == (200, {})


async def test_both_servers_answer_health_checks():
    answer = await AsyncClient().get("/readyz")
    assert (answer.status_code, answer.json()["ready"]) == (200, True)
    answer = await AsyncClient().get("/livez")
    assert (answer.status_code, answer.content) == (200, b"ok\n")


def test_an_unapplied_migration_is_named_until_it_is_applied():
    row = MigrationRecorder.Migration.objects.filter(app="chat").latest("name")
    MigrationRecorder.Migration.objects.filter(pk=row.pk).delete()
    try:
        status, reasons = asked()
        assert status == 503
        assert reasons.keys() == {"migrations"}
        assert f"chat.{row.name}" in reasons["migrations"]
    finally:
        row.save(force_insert=True)
    assert asked() == (200, {})


def test_a_database_that_is_away_is_reported(monkeypatch):
    def away(*arguments, **named):
        raise OperationalError("no such server")

    assert asked() == (200, {})  # it had been there
    monkeypatch.setattr(connection, "cursor", away)
    status, reasons = asked()
    assert (status, reasons) == (503, {"database": "OperationalError: no such server"})
    assert Client().get("/livez").status_code == 200


@pytest.mark.parametrize("url", ["unix:///nowhere/redis.sock", "redis://127.0.0.1:1/0"])
def test_a_redis_that_is_away_is_reported(settings, url):
    settings.CHANNELS_REALTIME = {"REDIS_URL": url}
    status, reasons = asked()
    assert status == 503
    assert reasons.keys() == {"redis_round_trip"}
    assert "ConnectionError" in reasons["redis_round_trip"]


def test_a_redis_that_does_not_answer_times_out(settings, monkeypatch, tmp_path):
    monkeypatch.setattr(redis_clients, "REDIS_TIMEOUT_SECONDS", 0.05)
    timeouts = []
    from_url = redis_clients.redis.Redis.from_url

    def watched(url, **options):
        timeouts.append(options["socket_timeout"])
        return from_url(url, **options)

    monkeypatch.setattr(redis_clients.redis.Redis, "from_url", watched)
    with socket.socket(socket.AF_UNIX) as silent:
        silent.bind(str(tmp_path / "redis.sock"))
        silent.listen()
        settings.CHANNELS_REALTIME = {"REDIS_URL": f"unix://{tmp_path}/redis.sock"}
        status, reasons = asked()
    assert (status, reasons.keys()) == (503, {"redis_round_trip"})
    assert "Timeout" in reasons["redis_round_trip"]
    assert timeouts == [0.05]


def test_a_draining_server_is_alive_and_not_ready():
    shutdown.draining.set()
    try:
        status, reasons = asked()
        assert (status, reasons) == (503, {"not_leaving": "RuntimeError: the server is restarting"})
        assert Client().get("/livez").status_code == 200
    finally:
        shutdown.draining.clear()
    assert asked() == (200, {})


def test_all_failures_are_reported_at_once(settings):
    settings.CHANNELS_REALTIME = {"REDIS_URL": "unix:///nowhere/redis.sock"}
    shutdown.draining.set()
    try:
        assert asked()[1].keys() == {"redis_round_trip", "not_leaving"}
    finally:
        shutdown.draining.clear()
