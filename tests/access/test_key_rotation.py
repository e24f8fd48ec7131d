"""After a rotation of SECRET_KEY everybody is still signed in: on pages, over sockets, with tokens."""

import asyncio

import pytest
from channels.auth import get_user as get_channels_user
from django.conf import settings as django_settings
from django.contrib.auth import SESSION_KEY
from django.contrib.sessions.backends.db import SessionStore
from django.test import Client

from accounts.sessions import create_session, get_session_users
from accounts.token_keys import derive_token_key
from channels_stack import session_hash
from tests.access.test_tokens import refresh, rooms_of
from tests.tokens import tokens_of

FIRST = django_settings.SECRET_KEY
SECOND, THIRD = "second-" * 10, "third-" * 10


@pytest.fixture
def use_keys(settings):
    """`use_keys(newest, *former)`: what a process has read at its start."""

    def use(newest, *former):
        settings.SECRET_KEY, settings.SECRET_KEY_FALLBACKS = newest, list(former)
        settings.HEADLESS_JWT_PRIVATE_KEY = derive_token_key(newest)

    return use


@pytest.fixture
def signed_in(alice):
    client = Client()
    client.cookies[django_settings.SESSION_COOKIE_NAME] = create_session(alice).session_key
    return client


def test_a_page_keeps_its_session_and_its_cookie(use_keys, signed_in):
    use_keys(SECOND, FIRST)
    for _ in range(2):
        answer = signed_in.get("/api/rooms/")
        assert (answer.status_code, dict(answer.cookies)) == (200, {})


def test_a_page_that_was_loaded_by_a_process_with_the_new_key_is_signed_in_at_one_with_the_former_key(use_keys, alice):
    use_keys(SECOND, FIRST)
    key = create_session(alice).session_key
    use_keys(FIRST, SECOND)
    assert get_session_users([key]) == [alice]
    assert SessionStore(key)[SESSION_KEY] == str(alice.pk)


@pytest.mark.django_db(transaction=True)
def test_the_sign_in_of_channels_does_not_end_the_session(use_keys, alice):
    key = create_session(alice).session_key
    use_keys(SECOND, FIRST)
    assert asyncio.run(get_channels_user({"session": SessionStore(key)})) == alice
    assert SessionStore().exists(key)


def test_the_hash_of_a_session_is_what_django_makes_of_the_first_key(alice, settings):
    ours = alice.get_session_auth_hash()
    patched = type(alice)._get_session_auth_hash
    assert ours == patched.__wrapped__(alice, secret=settings.SECRET_KEY)
    settings.SECRET_KEY = SECOND
    assert alice.get_session_auth_hash() == ours
    assert patched.__wrapped__(alice) != ours


def test_a_changed_password_still_ends_the_session(use_keys, alice):
    key = create_session(alice).session_key
    use_keys(SECOND, FIRST)
    alice.set_password("another one")
    alice.save()
    assert get_session_users([key]) == [None]


def test_the_key_can_be_set_again(alice):
    before = alice.get_session_auth_hash()
    try:
        session_hash.use_key(SECOND)
        assert alice.get_session_auth_hash() != before
    finally:
        session_hash.use_key(FIRST)
    assert alice.get_session_auth_hash() == before


@pytest.mark.parametrize("former", [(FIRST,), (SECOND, FIRST)], ids=["one rotation", "two rotations"])
def test_access_tokens_and_refresh_tokens_stay_valid(use_keys, alice, former):
    tokens = tokens_of(alice)
    use_keys(THIRD, *former)
    assert rooms_of(tokens.access).status_code == 200
    status, renewed = refresh(tokens.refresh)
    assert status == 200
    use_keys(THIRD)  # the new tokens need no former key
    assert rooms_of(renewed["access_token"]).status_code == 200


def test_a_process_that_still_signs_with_the_former_key_reads_new_tokens(use_keys, alice):
    use_keys(SECOND, FIRST)
    tokens = tokens_of(alice)
    use_keys(FIRST, SECOND)
    assert rooms_of(tokens.access).status_code == 200


def test_a_token_of_a_forgotten_key_is_refused(use_keys, alice):
    tokens = tokens_of(alice)
    use_keys(THIRD, SECOND)
    assert rooms_of(tokens.access).status_code == 401
    assert refresh(tokens.refresh)[0] == 401


def test_a_refresh_token_of_a_former_key_works_once(use_keys, alice):
    tokens = tokens_of(alice)
    use_keys(SECOND, FIRST)
    assert [refresh(tokens.refresh)[0], refresh(tokens.refresh)[0]] == [200, 401]
