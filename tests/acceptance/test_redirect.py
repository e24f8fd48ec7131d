"""Plain http is redirected to https, with path and query."""

import httpx

from tests.acceptance.site import Site


async def test_http_is_redirected_to_https(site: Site) -> None:
    path = "/rooms/harbour/?page=2"
    if site.http_url:
        async with httpx.AsyncClient(base_url=site.http_url) as browser:
            answer = await browser.get(path)
    else:  # the platform serves the plain port, and sets a header
        answer = await site.get(path, **{"X-Forwarded-Proto": "http"})
    assert answer.status_code in (301, 308)
    assert answer.headers["location"] == site.url + path


async def test_a_client_cannot_claim_https_at_the_plain_port(site: Site) -> None:
    async with httpx.AsyncClient(base_url=site.http_url or site.url, verify=site.trust) as browser:
        answer = await browser.get("/", headers={"X-Forwarded-Proto": "http" if not site.http_url else "https"})
    assert answer.status_code in (301, 308)
