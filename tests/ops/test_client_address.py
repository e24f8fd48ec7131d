"""The address that is rate limited is the one that the proxy has seen, whatever the client claims."""

import pytest
from allauth.core.internal.httpkit import get_client_ip
from django.test import RequestFactory


@pytest.mark.parametrize(
    ("forwarded", "address"),
    [
        ("203.0.113.9", "203.0.113.9"),  # nginx overwrites
        ("198.51.100.1, 203.0.113.9", "203.0.113.9"),  # a platform appends
        ("198.51.100.1, 203.0.113.9:51234", "203.0.113.9"),  # Azure with the port
        ("198.51.100.1, [2001:db8::9]:51234", "2001:db8::9"),
        (None, "127.0.0.1"),  # no proxy
    ],
)
def test_the_last_forwarded_address_is_rate_limited(forwarded, address):
    headers = {"X-Forwarded-For": forwarded} if forwarded else {}
    assert get_client_ip(RequestFactory().get("/", headers=headers)) == address
