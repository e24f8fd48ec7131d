"""Pages and static files of a guest over https."""

import httpx

from tests.guests.guests import Guest
from tests.guests.site import GuestSite


async def test_a_page_is_served_over_https(site: GuestSite, guest: Guest) -> None:
    response = await site.get(guest.page)
    assert response.status_code == 200
    assert response.headers["content-type"].startswith("text/html")


async def test_the_http_port_redirects_to_https(site: GuestSite, guest: Guest) -> None:
    async with httpx.AsyncClient() as browser:
        response = await browser.get(f"{site.http_url}{guest.page}")
    assert response.status_code in (301, 308)
    assert response.headers["location"] == f"{site.url}{guest.page}"


async def test_a_static_file_has_its_type(site: GuestSite, guest: Guest) -> None:
    response = await site.get(guest.static_file)
    assert response.status_code == 200
    assert response.headers["content-type"].partition(";")[0] in types_of(guest.static_type)
    assert response.content


async def test_an_error_page_shows_no_settings(site: GuestSite, guest: Guest) -> None:
    response = await site.get("/there-is-no-such-page/")
    assert response.status_code == 404
    assert "DEBUG = True" not in response.text


def types_of(name: str) -> tuple[str, ...]:
    """Return the names of a media type: nginx 1.22 uses the older one of JavaScript."""
    return ("text/javascript", "application/javascript") if name == "text/javascript" else (name,)
