"""The security headers of every answer."""

import re

import pytest

from tests.acceptance.site import Site

PATHS = ["/", "/accounts/login/", "/api/rooms/", "/rooms/~AAAAAAAAAAAAAAAA/", "/ws/"]


@pytest.mark.parametrize("path", PATHS)
async def test_browsers_must_use_https_where_the_site_declares_it(site: Site, path: str) -> None:
    policies = (await site.get(path)).headers.get_list("strict-transport-security")
    assert len(policies) == ("hsts" in site.traits), policies
    for policy in policies:
        (seconds,) = re.findall(r"max-age=(\d+)", policy)
        assert int(seconds) >= 31_536_000  # a year, or scanners call it too short


@pytest.mark.parametrize("path", PATHS)
async def test_each_answer_has_its_own_request_id(site: Site, path: str) -> None:
    answers = [await site.get(path, **{"X-Request-ID": "mine"}) for _ in range(2)]
    numbers = [number for answer in answers for number in answer.headers.get_list("x-request-id")]
    if "nginx" in site.traits:
        assert len(set(numbers)) == 2
    assert "mine" not in numbers


@pytest.mark.parametrize("path", ["/", "/accounts/login/", "/rooms/~AAAAAAAAAAAAAAAA/"])
async def test_a_page_runs_only_its_own_scripts_and_cannot_be_framed(site: Site, path: str) -> None:
    headers = (await site.get(path)).headers
    policy = dict(part.strip().split(" ", 1) for part in headers["content-security-policy"].split(";"))
    assert policy["default-src"] == "'none'"
    assert policy["script-src"] == policy["connect-src"] == "'self'"
    assert policy["frame-ancestors"] == "'none'"
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["x-frame-options"] == "DENY"
    assert headers["referrer-policy"] == "same-origin"


async def test_no_header_has_a_version(site: Site) -> None:
    assert not re.search(r"\d", (await site.get("/")).headers.get("server", ""))
