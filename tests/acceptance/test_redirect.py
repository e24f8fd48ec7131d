"""Who comes by plain http is sent to https, with path and query."""

import httpx

from tests.acceptance.site import Site


async def test_http_is_sent_to_https(site: Site) -> None:
    path = "/rooms/harbour/?page=2"
    if site.http_url:
        async with httpx.AsyncClient(base_url=site.http_url) as browser:
            answer = await browser.get(path)
    else:  # the platform has the plain port, and tells us which one was used
        answer = await site.get(path, **{"X-Forwarded-Proto": "http"})
    assert answer.status_code in (301, 308)
    assert answer.headers["location"] == site.url + path


async def test_nobody_claims_https_through_the_plain_port(site: Site) -> None:
    async with httpx.AsyncClient(base_url=site.http_url or site.url, verify=site.trust) as browser:
        answer = await browser.get("/", headers={"X-Forwarded-Proto": "http" if not site.http_url else "https"})
    assert answer.status_code in (301, 308)
