"""/metrics answers requests from the same machine only, with or without an nginx."""

import pytest
from django.test import Client


def test_a_plain_request_from_the_machine_is_answered():
    assert b"parley_sockets_open" in Client().get("/metrics").content


@pytest.mark.parametrize(
    "came",
    [
        {"secure": True},
        {"headers": {"X-Forwarded-For": "203.0.113.9"}},
        {"headers": {"X-Forwarded-Proto": "http"}},
    ],
)
def test_a_request_by_https_or_through_a_proxy_is_404(came):
    answer = Client().get("/metrics", **came)
    assert answer.status_code == 404
    assert b"parley_" not in answer.content
