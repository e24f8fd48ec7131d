"""Whose address is rate limited: the one that the front has seen, whatever the visitor claims."""

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
        (None, "127.0.0.1"),  # nobody in front
    ],
)
def test_the_last_address_counts(forwarded, address):
    headers = {"X-Forwarded-For": forwarded} if forwarded else {}
    assert get_client_ip(RequestFactory().get("/", headers=headers)) == address
