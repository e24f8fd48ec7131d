"""What an operator may ask of nginx while it runs, and at its start: a closed door, a trusted network."""

from collections.abc import Iterator

import pytest

from tests.docker.compose import Compose

DOOR = "/tmp/maintenance"
TRIES = 80  # more than nginx lets one address have at once (nginx/sites/parley.conf)


async def test_a_touch_closes_the_site_and_rm_opens_it(compose: Compose) -> None:
    compose("exec", "-T", "nginx", "touch", DOOR)
    try:
        closed = await compose.site.get("/")
        assert closed.status_code == 503
        assert "Parley will be right back" in closed.text
    finally:
        compose("exec", "-T", "nginx", "rm", DOOR)
    assert (await compose.site.get("/")).status_code == 200


@pytest.fixture(params=["", "172.16.0.0/12,192.168.0.0/16,10.0.0.0/8"], ids=["default", "docker's own networks"])
def trusted(compose: Compose, request: pytest.FixtureRequest) -> Iterator[bool]:
    """nginx, started anew, that trusts these networks."""
    compose.environment["PARLEY_TRUSTED"] = request.param
    compose.up("--force-recreate", "--no-deps", "nginx")
    yield bool(request.param)
    del compose.environment["PARLEY_TRUSTED"]
    compose.up("--force-recreate", "--no-deps", "nginx")


async def test_who_comes_from_a_trusted_network_is_not_limited(compose: Compose, trusted: bool) -> None:
    # Where one signs in nginx counts every POST; the application, which counts too, has no such page.
    async with compose.site.browser() as browser:
        answers = {(await browser.post("/accounts/nowhere/")).status_code for _ in range(TRIES)}
    assert answers == ({404} if trusted else {404, 429})
