"""What an operator may set in nginx while it runs and at its start: maintenance, networks without rate limits."""

from collections.abc import Iterator

import pytest

from tests.docker.compose import Compose

MAINTENANCE = "/tmp/maintenance"
REQUESTS = 80  # more than nginx lets one address have at once (nginx/sites/parley.conf)


async def test_a_file_closes_the_site_for_maintenance_and_its_removal_opens_it(compose: Compose) -> None:
    compose("exec", "-T", "nginx", "touch", MAINTENANCE)
    try:
        closed = await compose.site.get("/")
        assert closed.status_code == 503
        assert "This site is not available right now" in closed.text
    finally:
        compose("exec", "-T", "nginx", "rm", MAINTENANCE)
    assert (await compose.site.get("/")).status_code == 200


@pytest.fixture(params=["", "172.16.0.0/12,192.168.0.0/16,10.0.0.0/8"], ids=["default", "docker's own networks"])
def exempt(compose: Compose, request: pytest.FixtureRequest) -> Iterator[bool]:
    """Whether nginx, restarted, exempts Docker's own networks from its rate limits."""
    compose.environment["RATE_LIMIT_EXEMPT_NETWORKS"] = request.param
    compose.up("--force-recreate", "--no-deps", "nginx")
    yield bool(request.param)
    del compose.environment["RATE_LIMIT_EXEMPT_NETWORKS"]
    compose.up("--force-recreate", "--no-deps", "nginx")


async def test_a_client_in_an_exempt_network_is_not_limited(compose: Compose, exempt: bool) -> None:
    # nginx limits every POST below /accounts/; the application, which has limits of its own, has no such page.
    async with compose.site.browser() as browser:
        answers = {(await browser.post("/accounts/nowhere/")).status_code for _ in range(REQUESTS)}
    assert answers == ({404} if exempt else {404, 429})
