"""Odd cookies of other programs on the same host name do not sign a user out."""

import pytest

from accounts.sessions import session_key_from_cookies


@pytest.mark.parametrize(
    "cookies",
    ["sessionid=abc", 'foo={"a":1}; sessionid=abc', "sessionid=abc; =; bare; a b=c", 'x="; sessionid=abc'],
)
def test_the_session_is_found_among_odd_cookies(cookies):
    assert session_key_from_cookies(cookies) == "abc"


@pytest.mark.parametrize("cookies", ["", "sessionid2=abc", "csrftoken=abc", ";;;"])
def test_without_a_session_cookie_there_is_no_session(cookies):
    assert session_key_from_cookies(cookies) is None
