"""A token that is forged, expired or of another user is refused: 401 over HTTP, 4401 over a socket."""

import asyncio
import json
import time

import pytest
from asgiref.sync import sync_to_async
from django.conf import settings
from django.contrib.sessions.models import Session
from django.core.cache import cache
from django.test import Client

from channels_realtime import process
from chat import limits
from chat.services import messages
from chat.ws.application import ChatApplication
from tests import asgi_transport
from tests.chat_client import ChatClient, Refused
from tests.conftest import PASSWORD
from tests.tokens import FORGERIES, claims, forge, signed, tokens_of

LOGIN = "/_allauth/app/v1/auth/login"
REFRESH = "/_allauth/app/v1/tokens/refresh"
SESSION = "/_allauth/app/v1/auth/session"


@pytest.fixture(autouse=True)
def _no_limits_used_up():
    cache.clear()


def bearer(token):
    return {"Authorization": f"Bearer {token}"}


def rooms_of(token, client=None):
    return (client or Client()).get("/api/rooms/", headers=bearer(token))


def refresh(token):
    answer = Client().post(REFRESH, {"refresh_token": token}, content_type="application/json")
    return answer.status_code, answer.json().get("data", {})


async def visit(token=None, *, cookie="", origin=None, **hello):
    """A socket as a program opens it, without Origin and cookie; hello is on its way."""
    opened = ChatClient(await asgi_transport.AsgiTransport.open(cookie=cookie, origin=origin), timeout_seconds=10)
    await opened.open()
    number = await opened.send_command("hello", **({} if token is None else {"token": token}), **hello)
    return opened, number


async def leave(*clients):
    for client in clients:
        await client.__aexit__(None, None, None)


# --- forged


@pytest.mark.parametrize("forgery", FORGERIES)
def test_a_forged_token_is_401(alice, mallory, forgery):
    answer = rooms_of(forge(forgery, tokens_of(mallory), alice))
    assert (answer.status_code, answer.headers["WWW-Authenticate"]) == (401, "Bearer")
    assert answer.json()["error"]["code"] == "unauthenticated"


@pytest.mark.parametrize("forgery", FORGERIES)
async def test_a_forged_token_closes_the_socket_with_4401(connect, alice, mallory, forgery):
    hers = await sync_to_async(tokens_of)(mallory)
    opened, _ = await visit(forge(forgery, hers, alice))
    assert await opened.wait_closed() == 4401
    reason = "The access token is not valid."
    assert opened.frames == [{"type": "bye", "code": 4401, "reason": reason, "reconnect_in": None}]
    await leave(opened)


@pytest.mark.parametrize("forgery", FORGERIES)
async def test_a_forged_token_does_not_renew_a_session(connect, alice, mallory, forgery):
    hers = await sync_to_async(tokens_of)(mallory)
    opened, number = await visit(hers.access)
    await opened.wait_for_answer(number)
    await opened.send_command("auth", token=forge(forgery, hers, alice))
    assert await opened.wait_closed() == 4401
    await leave(opened)


def test_a_wrong_token_is_401_even_beside_a_good_cookie(alice):
    client = Client()
    client.force_login(alice)
    assert client.get("/api/rooms/").status_code == 200
    assert rooms_of("a.b.c", client).status_code == 401


async def test_a_wrong_token_is_4401_even_beside_a_good_cookie(connect, alice):
    cookie = (await sync_to_async(tokens_of)(alice)).session
    opened, _ = await visit("a.b.c", cookie=cookie, origin="https://localhost")
    assert await opened.wait_closed() == 4401
    await leave(opened)


async def test_a_token_counts_more_than_a_cookie(connect, alice, mallory):
    cookie = (await sync_to_async(tokens_of)(mallory)).session
    opened, number = await visit(
        (await sync_to_async(tokens_of)(alice)).access, cookie=cookie, origin="https://localhost"
    )
    assert (await opened.wait_for_answer(number))["user"]["id"] == alice.pk
    await leave(opened)


@pytest.mark.parametrize("forgery", sorted(FORGERIES.keys() - {"a refresh token", "another user's session"}))
def test_a_forged_refresh_token_is_401_and_ends_no_session(alice, mallory, forgery):
    hers = tokens_of(mallory)
    forged = forge(forgery, hers._replace(access=hers.refresh), alice)
    assert refresh(forged) == (401, {"flows": [{"id": "login"}, {"id": "signup"}]})
    assert rooms_of(hers.access).status_code == 200
    assert refresh(hers.refresh)[0] == 200


def test_an_access_token_is_no_refresh_token(alice):
    hers = tokens_of(alice)
    assert refresh(hers.access)[0] == 401
    assert refresh(hers.refresh)[0] == 200


@pytest.mark.parametrize("body", [b'{"a":' * 20_000, b'{"username":"\\ud800","password":"x"}', b"\xff", b"[]", b"{"])
@pytest.mark.parametrize("path", [LOGIN, REFRESH, "/_allauth/app/v1/auth/signup"])
def test_json_that_no_parser_or_database_accepts_is_400(transactional_db, path, body):
    assert Client().post(path, body, content_type="application/json").status_code == 400


# --- refreshed, once each


def test_a_refresh_token_works_once_and_its_second_use_ends_the_session(alice):
    first = tokens_of(alice)
    others = tokens_of(alice)
    status, second = refresh(first.refresh)
    assert (status, rooms_of(second["access_token"]).status_code) == (200, 200)
    assert refresh(first.refresh)[0] == 401
    # It is unknown which of the two is the thief: that session ends with all of its tokens, and no other.
    assert refresh(second["refresh_token"])[0] == 401
    assert [rooms_of(token).status_code for token in (first.access, second["access_token"])] == [401, 401]
    assert not Session.objects.filter(session_key=first.session).exists()
    assert rooms_of(others.access).status_code == 200


def test_tokens_expire_as_configured(alice):
    hers = tokens_of(alice)
    now = time.time()
    assert claims(hers.access)["exp"] - now == pytest.approx(settings.HEADLESS_JWT_ACCESS_TOKEN_EXPIRES_IN, abs=5)
    assert claims(hers.refresh)["exp"] - now == pytest.approx(settings.HEADLESS_JWT_REFRESH_TOKEN_EXPIRES_IN, abs=5)
    # A refresh token never outlives the session that it stands for.
    assert settings.HEADLESS_JWT_REFRESH_TOKEN_EXPIRES_IN < settings.SESSION_COOKIE_AGE


def test_the_token_hides_the_sessions_key(alice):
    hers = tokens_of(alice)
    assert hers.session not in json.dumps([claims(hers.access), claims(hers.refresh)])


# --- over


ENDS = {
    "signing out": lambda hers, _: Client().delete(SESSION, headers=bearer(hers.access)),
    "a new password": lambda _, alice: (alice.set_password("another horse battery"), alice.save()),
    "being shut out": lambda _, alice: type(alice).objects.filter(pk=alice.pk).update(is_active=False),
    "the session's end": lambda hers, _: Session.objects.filter(session_key=hers.session).delete(),
}


@pytest.mark.parametrize("end", ENDS)
def test_a_token_ends_with_its_session(alice, end):
    hers = tokens_of(alice)
    assert rooms_of(hers.access).status_code == 200
    ENDS[end](hers, alice)
    assert rooms_of(hers.access).status_code == 401
    assert refresh(hers.refresh)[0] == 401


@pytest.mark.parametrize("end", ENDS)
async def test_a_socket_opened_by_token_ends_with_its_session(connect, room, alice, end, monkeypatch):
    monkeypatch.setattr(process, "SESSION_CHECK_INTERVAL_SECONDS", 1)
    hers = await sync_to_async(tokens_of)(alice)
    opened, number = await visit(hers.access)
    await opened.wait_for_answer(number)
    await sync_to_async(ENDS[end])(hers, alice)
    assert await opened.wait_closed() == 4401
    await leave(opened)


async def test_signing_in_by_password_gives_tokens_for_both_transports(connect, room, alice):
    def sign_in():
        body = {"username": "alice", "password": PASSWORD}
        return Client().post(LOGIN, body, content_type="application/json").json()["meta"]

    tokens = await sync_to_async(sign_in)()
    opened, number = await visit(tokens["access_token"])
    assert (await opened.wait_for_answer(number))["user"]["name"] == "Alice Lind"
    await opened.join("harbour")

    def post():
        body = {"cid": "5f0d2c1e-8a55-4a36-8d53-55b8a8a0cf11", "body": "by token"}
        path = "/api/rooms/harbour/messages/"
        strict = Client(enforce_csrf_checks=True)  # no cookie, so nothing that another site could ride on
        return strict.post(path, body, content_type="application/json", headers=bearer(tokens["access_token"]))

    assert (await sync_to_async(post)()).status_code == 201
    assert (await opened.wait_for_message("harbour", "by token"))["author"]["id"] == alice.pk
    await leave(opened)


# --- running out


async def short(user, seconds):
    """An access token of a session, over in so many seconds; and a longer one of the same session."""
    hers = await sync_to_async(tokens_of)(user)
    return signed(claims(hers.access) | {"exp": time.time() + seconds}), hers


async def test_a_socket_is_warned_before_its_token_expires_and_then_closed(connect, alice, monkeypatch):
    monkeypatch.setattr(limits, "EXPIRY_NOTICE_SECONDS", 1)
    token, _ = await short(alice, 1.2)
    opened, number = await visit(token)
    await opened.wait_for_answer(number)
    assert (await opened.wait_for_frame("auth_expiring"))["in"] == 1
    assert await opened.wait_closed() == 4401
    assert [frame["type"] for frame in opened.frames] == ["welcome", "auth_expiring", "bye"]
    await leave(opened)


async def test_a_socket_with_a_renewed_token_stays_open_and_misses_nothing(connect, room, alice, bob, monkeypatch):
    monkeypatch.setattr(limits, "EXPIRY_NOTICE_SECONDS", 1)
    token, longer = await short(alice, 1.2)
    fleeting, _ = await short(alice, 1.2)
    opened, number = await visit(token)
    left_alone, other = await visit(fleeting)  # ends when hers would have
    await opened.wait_for_answer(number)
    await left_alone.wait_for_answer(other)
    await opened.join("harbour")
    await opened.wait_for_frame("auth_expiring")
    connection = opened.welcome
    assert (await opened.request("auth", token=longer.access)).keys() == {"type", "id"}
    assert await left_alone.wait_closed() == 4401
    await sync_to_async(messages.post_message)(
        room="harbour", author=bob, body="still there?", cid="5f0d2c1e-8a55-4a36-8d53-55b8a8a0cf12"
    )
    await opened.wait_for_message("harbour", "still there?")
    assert (opened.closed, opened.welcome) == (None, connection)
    await leave(opened, left_alone)


async def test_a_socket_with_a_renewed_token_belongs_to_the_new_session(connect, alice, monkeypatch):
    monkeypatch.setattr(process, "SESSION_CHECK_INTERVAL_SECONDS", 1)
    old, new = await sync_to_async(tokens_of)(alice), await sync_to_async(tokens_of)(alice)
    opened, number = await visit(old.access)
    await opened.wait_for_answer(number)
    await opened.request("auth", token=new.access)
    await sync_to_async(ENDS["the session's end"])(old, alice)
    stale, _ = await visit(old.access)
    assert await stale.wait_closed() == 4401
    assert (await opened.join("harbour"))["members"] == 1
    await sync_to_async(ENDS["the session's end"])(new, alice)
    assert await opened.wait_closed() == 4401
    await leave(opened, stale)


async def test_a_socket_cannot_be_renewed_with_another_users_token(connect, alice, mallory):
    opened, number = await visit((await sync_to_async(tokens_of)(mallory)).access)
    await opened.wait_for_answer(number)
    await opened.send_command("auth", token=(await sync_to_async(tokens_of)(alice)).access)
    assert await opened.wait_closed() == 4401
    await leave(opened)


async def test_auth_does_not_replace_hello(connect, alice):
    opened = ChatClient(await asgi_transport.AsgiTransport.open(origin=None), timeout_seconds=10)
    await opened.open()
    with pytest.raises(Refused, match="hello_first"):
        await opened.request("auth", token=(await sync_to_async(tokens_of)(alice)).access)
    await leave(opened)


async def test_a_token_is_not_refused_while_the_database_is_away(connect, alice, monkeypatch):
    from django.db import OperationalError

    opened, number = await visit((await sync_to_async(tokens_of)(alice)).access)
    await opened.wait_for_answer(number)

    async def away(session):
        raise OperationalError("no such server")

    token = (await sync_to_async(tokens_of)(alice)).access
    monkeypatch.setattr(process.shared_process(ChatApplication).application, "find_user", away)
    with pytest.raises(Refused, match="unavailable"):
        await opened.request("auth", token=token)
    late, _ = await visit(token)
    assert await late.wait_closed() == 1013
    await leave(opened, late)


async def test_of_two_simultaneous_uses_of_a_refresh_token_only_one_succeeds(alice):
    hers = await sync_to_async(tokens_of)(alice)
    answers = await asyncio.gather(*(asyncio.to_thread(refresh, hers.refresh) for _ in range(4)))
    assert sorted(status for status, _ in answers) == [200, 401, 401, 401]
    assert not await Session.objects.filter(session_key=hers.session).aexists()
