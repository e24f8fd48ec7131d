"""A release is asked for its pages as a signed-in user that nobody sees."""

import tomllib
from pathlib import Path

import pytest
from django.contrib.sessions.models import Session
from django.http import HttpRequest, HttpResponse
from django.urls import path

from accounts.models import User
from channels_stack.signed_in_probes import find_failure

STACK = Path(__file__).resolve().parents[2] / "app" / "stack.toml"


def fail(request: HttpRequest) -> HttpResponse:
    raise RuntimeError("this page is broken")


def greet(request: HttpRequest) -> HttpResponse:
    return HttpResponse(status=200 if request.user.is_authenticated else 401)


urlpatterns = [path("room/", fail), path("me/", greet)]


@pytest.mark.django_db
def test_the_probes_of_the_chat_pass_and_leave_nothing() -> None:
    assert (
        find_failure(probe for probe in tomllib.loads(STACK.read_text())["probes"] if isinstance(probe, dict)) is None
    )
    assert not User.objects.exists()
    assert not Session.objects.exists()


@pytest.mark.django_db
@pytest.mark.urls(__name__)
def test_a_page_that_fails_for_a_member_is_named() -> None:
    probes = [{"path": "/me/", "signed_in": True}, {"path": "/room/", "signed_in": True}]
    assert find_failure(probes[:1]) is None
    assert find_failure(probes) == "the probe /room/, signed in, is answered by 500, not 200"
    assert not User.objects.exists()


@pytest.mark.django_db
@pytest.mark.urls(__name__)
def test_a_probe_without_a_session_is_left_to_the_servers() -> None:
    assert find_failure([{"path": "/room/"}]) is None
