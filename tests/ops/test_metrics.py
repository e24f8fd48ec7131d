"""/metrics answers requests from the same machine only, with or without an nginx."""

import re

import pytest
from django.test import Client

SERIES = re.compile(r"^((?:channels|parley)_[^ ]+) (.+)$", re.MULTILINE)


def series(text: str) -> dict[str, str]:
    """The value of each series of the stack, under both names."""
    return dict(SERIES.findall(text))


def test_each_series_has_its_former_name_too():
    """For one release, because operators have written alerts and dashboards."""
    found = series(Client().get("/metrics").text)
    renamed = {name.replace("channels_", "parley_", 1): value for name, value in found.items() if "channels_" in name}
    former = {name: value for name, value in found.items() if name.startswith("parley_")}
    assert former == renamed
    assert 'parley_handshakes_total{result="accepted"}' in former
    assert 'parley_request_seconds_bucket{le="+Inf",status="2xx"}' in former


def test_a_former_name_says_the_new_one():
    text = Client().get("/metrics").text
    assert "# HELP parley_sockets_open The former name of channels_sockets_open." in text
    assert "# TYPE parley_sockets_open gauge" in text
    assert "# TYPE parley_request_seconds histogram" in text


def test_metrics_of_others_have_one_name():
    assert Client().get("/metrics").text.count("# TYPE python_info") == 1


def test_a_plain_request_from_the_machine_is_answered():
    assert b"channels_sockets_open" in Client().get("/metrics").content


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
    assert b"channels_" not in answer.content
