"""A page that fails because the database is away is answered with 503, and every other failure with 500."""

import logging
from collections.abc import Callable

import pytest
from django.db import DataError, OperationalError, connection
from django.http import HttpRequest, HttpResponse
from django.test import Client
from django.urls import path
from django.utils.translation import override

from channels_stack import disk_space
from config import urls

ERROR = OperationalError("server closed the connection unexpectedly\nThis probably means that it ended.")
failures: dict[str, Exception] = {
    "away": ERROR,
    "other": DataError("value too long"),
    "mistake": ZeroDivisionError(),
}


def fail(request: HttpRequest, kind: str) -> HttpResponse:
    raise failures[kind]


urlpatterns = [*urls.urlpatterns, path("fails/<kind>/", fail)]
pytestmark = [pytest.mark.django_db, pytest.mark.urls(__name__)]


@pytest.fixture
def statuses() -> Callable[[], dict[str, int]]:
    client = Client(raise_request_exception=False)
    return lambda: {kind: client.get(f"/fails/{kind}/").status_code for kind in failures}


def cannot_connect(*arguments: object, **named: object) -> None:
    raise ERROR


def test_an_error_of_a_database_that_works_is_a_fault_of_the_program(statuses: Callable[[], dict[str, int]]) -> None:
    assert statuses() == {"away": 500, "other": 500, "mistake": 500}


def test_a_database_that_is_away_is_no_fault_of_the_program(
    statuses: Callable[[], dict[str, int]], monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(connection, "cursor", cannot_connect)
    with caplog.at_level(logging.ERROR, "channels_stack.unavailable"):
        assert statuses() == {"away": 503, "other": 500, "mistake": 500}
    (message,) = [line.message for line in caplog.records if line.name == "channels_stack.unavailable"]
    assert message == (
        "A page could not be served: the database does not answer: server closed the connection unexpectedly"
    )


def test_a_full_disk_is_no_fault_of_the_program(
    statuses: Callable[[], dict[str, int]], monkeypatch: pytest.MonkeyPatch
) -> None:
    def check_disks() -> None:
        raise OSError("0 of 100 MiB are free at /var/lib/postgresql")

    monkeypatch.setattr(disk_space, "check_disks", check_disks)
    assert statuses() == {"away": 503, "other": 500, "mistake": 500}


def test_the_answer_says_when_to_try_again_in_the_visitors_language(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection, "cursor", cannot_connect)
    with override("en"):
        answer = Client(raise_request_exception=False).get("/fails/away/", headers={"Accept-Language": "es"})
    assert answer.headers["Retry-After"] == "5"
    assert "<h1>Este sitio no está disponible en este momento</h1>" in answer.text
