"""Every refusal over HTTP has the form {"error": {"code", "text", "retry_after"?}}."""

import logging
from uuid import uuid4

import pytest
from django.db import OperationalError
from django.test import Client

from chat.api.throttle import WriteThrottle
from chat.models import Message
from chat.services import rooms
from tests.api.conftest import Refused

POST = "rooms/harbour/messages/"


def body():
    return {"cid": str(uuid4()), "body": "x"}


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("get", "rooms/"),
        ("post", "rooms/"),
        ("get", "rooms/harbour/"),
        ("patch", "rooms/harbour/"),
        ("post", "rooms/harbour/join/"),
        ("post", "rooms/harbour/leave/"),
        ("post", "rooms/harbour/members/"),
        ("post", "rooms/harbour/read/"),
        ("get", POST),
        ("post", POST),
        ("patch", "messages/1/"),
        ("delete", "messages/1/"),
    ],
)
def test_a_request_without_credentials_is_unauthenticated(api, room, method, path):
    with pytest.raises(Refused) as refused:
        api()(method, path, {})
    assert (refused.value.status, refused.value.code) == (401, "unauthenticated")
    assert refused.value.headers["WWW-Authenticate"] == "Bearer"


@pytest.mark.parametrize("path", ["", "nothing/", "rooms/harbour/nothing/at/all/"])
@pytest.mark.parametrize("method", ["get", "post", "delete"])
def test_an_absent_address_is_404(alice, path, method):
    client = Client()
    client.force_login(alice)
    answer = getattr(client, method)(f"/api/{path}")
    assert (answer.status_code, answer.json()["error"]["code"]) == (404, "not_found")


def test_an_address_without_its_last_slash_is_redirected(alice):
    client = Client()
    client.force_login(alice)
    assert client.get("/api/rooms")["Location"] == "/api/rooms/"
    assert client.get("/api/nothing", follow=True).json()["error"]["code"] == "not_found"


def test_a_page_of_another_site_cannot_write_with_my_cookie(api, room, alice):
    hers = api(alice, enforce_csrf_checks=True)
    for method, path in (("post", POST), ("post", "rooms/"), ("patch", "messages/1/"), ("delete", "messages/1/")):
        with pytest.raises(Refused) as refused:
            hers(method, path, body())
        assert (refused.value.status, refused.value.code) == (403, "forbidden")
        assert "CSRF" in refused.value.error["text"]
    assert hers.get(POST) == {"events": [], "more": False}


def test_a_page_with_the_csrf_token_can_write(api, room, alice):
    hers = api(alice, enforce_csrf_checks=True)
    token = "t" * 32
    hers.client.cookies["csrftoken"] = token
    assert hers("post", POST, body(), HTTP_X_CSRFTOKEN=token)["body"] == "x"
    with pytest.raises(Refused, match="CSRF"):
        hers("post", POST, body(), HTTP_X_CSRFTOKEN=token, HTTP_ORIGIN="https://evil.example")


def test_a_throttled_request_says_when_to_try_again(api, room, alice, bob, monkeypatch):
    monkeypatch.setattr(WriteThrottle, "THROTTLE_RATES", {"writes": "2/min"})
    hers = api(alice)
    for _ in range(2):
        hers("post", POST, body())
    with pytest.raises(Refused) as refused:
        hers("post", POST, body())
    assert (refused.value.status, refused.value.code) == (429, "rate_limited")
    assert 0 < refused.value.error["retry_after"] <= 60
    assert 0 < int(refused.value.headers["Retry-After"]) <= 60
    assert Message.objects.count() == 2
    hers.get(POST)  # reading is free
    api(bob)("post", POST, body())  # and everybody is counted apart


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"{",
        b"null",
        b"[]",
        b'"x"',
        b"7",
        b"\xff\xfe",
        b'{"body": NaN}',
        b'{"body": 1' + b"0" * 5000 + b"}",
        b"[" * 10_000 + b"]" * 10_000,
        b'{"a":' * 10_000 + b"1" + b"}" * 10_000,
        b'{"body": "\\ud800", "cid": "0b54e1c5-6d0c-4d5c-9a48-3f3d3c1f2a11"}',
    ],
    ids=lambda raw: repr(raw[:12]),
)
def test_a_body_that_is_no_json_object_is_invalid(api, room, alice, raw, caplog):
    for method, path in (("post", POST), ("patch", "messages/1/"), ("post", "rooms/")):
        with pytest.raises(Refused) as refused:
            api(alice)(method, path, raw)
        assert (refused.value.status, refused.value.code) == (400, "invalid")
    assert not [record for record in caplog.records if record.levelno >= logging.ERROR]


@pytest.mark.parametrize("charset", ["utf-16", "zlib", "hex", "base64"])
def test_a_body_in_another_charset_is_invalid(api, room, alice, charset, caplog):
    with pytest.raises(Refused) as refused:
        api(alice)("post", POST, body() | {"body": "é"}, content_type=f"application/json; charset={charset}")
    assert (refused.value.status, refused.value.code) == (400, "invalid")
    assert not [record for record in caplog.records if record.levelno >= logging.ERROR]


@pytest.mark.parametrize(
    "kind", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", ""]
)
def test_only_json_is_accepted(api, room, alice, kind):
    with pytest.raises(Refused) as refused:
        api(alice)("post", POST, body(), content_type=kind)
    assert (refused.value.status, refused.value.code) == (415, "invalid")


def test_a_method_that_does_not_exist_is_405(room, alice):
    client = Client()
    client.force_login(alice)
    answer = client.put("/api/rooms/harbour/", "{}", content_type="application/json")
    assert (answer.status_code, answer.json()["error"]["code"]) == (405, "method_not_allowed")
    assert "PATCH" in answer.headers["Allow"]


@pytest.mark.parametrize(
    "slug", ["%00", "a%00b", "~%00aaaaaaaaaaaaaaa", "%F0%9F%8E%89", "%FF", "-", "x" * 300, "a%20b"]
)
def test_a_room_name_that_is_not_valid_is_refused(api, alice, slug):
    for method, path, sent in (
        ("get", f"rooms/{slug}/", None),
        ("patch", f"rooms/{slug}/", {"title": "x"}),
        ("post", f"rooms/{slug}/join/", None),
        ("post", f"rooms/{slug}/leave/", None),
        ("post", f"rooms/{slug}/members/", {"username": "alice"}),
        ("post", f"rooms/{slug}/read/", {"seq": 1}),
        ("get", f"rooms/{slug}/messages/", None),
        ("post", f"rooms/{slug}/messages/", body()),
    ):
        with pytest.raises(Refused) as refused:
            api(alice)(method, path, sent)
        assert refused.value.code in ("not_found", "bad_name"), path


def test_a_database_that_is_away_is_503_and_says_when_to_try_again(room, alice, monkeypatch):
    client = Client()
    client.force_login(alice)

    def away(*arguments, **named):
        raise OperationalError("gone")

    monkeypatch.setattr(rooms, "list_rooms", away)
    answer = client.get("/api/rooms/")
    assert answer.status_code == 503
    assert answer.json()["error"] == {
        "code": "unavailable",
        "text": "The database is away. Try again.",
        "retry_after": 2,
    }


def test_an_internal_error_is_500_and_logged_and_reveals_nothing(room, alice, monkeypatch, caplog):
    client = Client(raise_request_exception=False)
    client.force_login(alice)

    def bug(user):
        raise ZeroDivisionError("secret detail")

    monkeypatch.setattr(rooms, "list_rooms", bug)
    answer = client.get("/api/rooms/")
    assert answer.status_code == 500
    assert "secret detail" not in answer.content.decode()
    assert any(record.exc_info and record.levelno == logging.ERROR for record in caplog.records)
