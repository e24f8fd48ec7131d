"""A plain HTTP request to a WebSocket's address gets 426, and the name of the program that it reached."""

import pytest
from django.test import AsyncClient, Client

UPGRADE = {"Upgrade": "websocket", "Connection": "Upgrade", "X-Forwarded-Proto": "https"}
FULL = {**UPGRADE, "Host": "localhost:8443"}
PATHS = ["/ws/", "/ws/chat/harbour/", "/ws/nowhere"]


def check(answer, hop, version, **sent):
    assert answer.status_code == 426
    assert answer.headers["Upgrade"] == "websocket"
    assert answer.headers["Content-Type"] == "application/json"
    assert answer.json() == {
        "hop": hop,
        "http_version": version,
        "upgrade": sent.get("Upgrade"),
        "connection": sent.get("Connection"),
        "host": sent.get("Host"),
        "forwarded_proto": sent.get("X-Forwarded-Proto"),
    }


@pytest.mark.parametrize("path", PATHS)
def test_gunicorn_answers_wsgi(path):
    check(Client().get(path, headers=FULL), "wsgi", "1.1", **FULL)


@pytest.mark.parametrize("path", PATHS)
async def test_daphne_answers_asgi(path):
    # Django's test client adds a Host of its own.
    check(await AsyncClient().get(path, headers=UPGRADE), "asgi", "1.1", **UPGRADE, Host="testserver")


async def test_missing_headers_are_null():
    check(Client().get("/ws/"), "wsgi", "1.1")
    check(await AsyncClient().get("/ws/"), "asgi", "1.1", Host="testserver")


@pytest.mark.parametrize("method", ["post", "put", "delete", "options"])
def test_every_method_gets_the_same_answer(method):
    client = Client(enforce_csrf_checks=True)
    check(getattr(client, method)("/ws/", headers=FULL), "wsgi", "1.1", **FULL)


def test_the_probe_is_not_redirected_to_https(settings):
    settings.SECURE_SSL_REDIRECT = True
    assert Client().get("/").status_code == 301
    for path in PATHS:
        assert Client().get(path).status_code == 426
    assert Client().get("/livez").status_code == 200
