"""A project without health checks gets them from the stack."""

import httpx

from tests.guests.guests import Guest
from tests.guests.site import GuestSite


async def test_the_site_is_ready(site: GuestSite, guest: Guest) -> None:
    response = await site.get("/readyz")
    assert response.status_code == 200, response.text
    assert response.json()["ready"] is True


async def test_each_server_is_ready_at_its_own_socket(site: GuestSite, guest: Guest) -> None:
    servers = {name: path for name, path in site.sockets.items() if name.startswith("w")}
    assert set(servers) == ({"web", "ws1", "ws2"} if site.folder else set())  # of a remote site, nginx alone is reached
    for name, path in servers.items():
        async with httpx.AsyncClient(transport=httpx.AsyncHTTPTransport(uds=path)) as browser:
            response = await browser.get("http://localhost/readyz", timeout=20)
        assert response.status_code == 200, f"{name}: {response.text}"
