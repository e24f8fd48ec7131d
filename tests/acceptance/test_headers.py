"""What every answer says to keep its reader safe."""

import re

import pytest

from tests.acceptance.site import Site

PATHS = ["/", "/accounts/login/", "/api/rooms/", "/rooms/~AAAAAAAAAAAAAAAA/", "/ws/"]


@pytest.mark.parametrize("path", PATHS)
async def test_browsers_are_bound_to_https_where_the_site_says_so(site: Site, path: str) -> None:
    told = (await site.get(path)).headers.get_list("strict-transport-security")
    assert len(told) == ("hsts" in site.traits), told
    for policy in told:
        (seconds,) = re.findall(r"max-age=(\d+)", policy)
        assert int(seconds) >= 31_536_000  # a year, or scanners call it too short


@pytest.mark.parametrize("path", PATHS)
async def test_each_answer_has_a_number_of_its_own(site: Site, path: str) -> None:
    answers = [await site.get(path, **{"X-Request-ID": "mine"}) for _ in range(2)]
    numbers = [number for answer in answers for number in answer.headers.get_list("x-request-id")]
    if "nginx" in site.traits:
        assert len(set(numbers)) == 2
    assert "mine" not in numbers


@pytest.mark.parametrize("path", ["/", "/accounts/login/", "/rooms/~AAAAAAAAAAAAAAAA/"])
async def test_a_page_runs_our_scripts_only_and_stands_in_no_frame(site: Site, path: str) -> None:
    headers = (await site.get(path)).headers
    policy = dict(part.strip().split(" ", 1) for part in headers["content-security-policy"].split(";"))
    assert policy["default-src"] == "'none'"
    assert policy["script-src"] == policy["connect-src"] == "'self'"
    assert policy["frame-ancestors"] == "'none'"
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["x-frame-options"] == "DENY"
    assert headers["referrer-policy"] == "same-origin"


async def test_nobody_says_which_version_answers(site: Site) -> None:
    assert not re.search(r"\d", (await site.get("/")).headers.get("server", ""))
