"""A restore says whether the people in the backup are still signed in."""

import pytest
from django.conf import settings as django_settings

from accounts.sessions import create_session
from channels_stack.session_keys import describe_lost_sessions

OTHER_KEY = "of another site " * 4


def test_sessions_of_this_site_need_no_word(alice, bob):
    create_session(alice)
    create_session(bob)
    assert describe_lost_sessions() == ""


def test_sessions_that_another_key_signed_are_counted(alice, bob, settings):
    create_session(alice)
    settings.SECRET_KEY = OTHER_KEY
    create_session(bob)
    sentence = describe_lost_sessions()
    assert sentence.startswith("1 of 2 sessions in the backup were signed with another SECRET_KEY")


@pytest.mark.django_db
def test_sessions_that_a_former_key_signed_are_valid(alice, settings):
    create_session(alice)
    settings.SECRET_KEY_FALLBACKS = [django_settings.SECRET_KEY]
    settings.SECRET_KEY = OTHER_KEY
    assert describe_lost_sessions() == ""
