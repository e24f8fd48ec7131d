"""Forms over https: CSRF protection accepts the site's own pages, and cookies are for https alone."""

from http.cookies import SimpleCookie

import httpx

from tests.guests.guests import Guest
from tests.guests.site import GuestSite, Visitor

OTHER_SITE = "https://mallory.example"


async def test_a_form_that_is_protected_against_csrf_is_accepted(site: GuestSite, guest: Guest) -> None:
    async with Visitor(site, "alice") as alice:
        response = await guest.submit(alice)
        assert guest.was_accepted(response), f"{response.status_code}\n{response.text[:2000]}"


async def test_a_form_of_another_site_is_refused(site: GuestSite, guest: Guest) -> None:
    async with Visitor(site, "alice") as alice:
        alice.browser.headers.update({"Origin": OTHER_SITE, "Referer": f"{OTHER_SITE}/"})
        assert (await guest.submit(alice)).status_code == 403


async def test_cookies_are_sent_over_https_alone(site: GuestSite, guest: Guest) -> None:
    received: list[SimpleCookie] = []

    async def collect(response: httpx.Response) -> None:
        received.extend(SimpleCookie(line) for line in response.headers.get_list("set-cookie"))

    async with Visitor(site, "alice") as alice:
        alice.browser.event_hooks = {"response": [collect]}
        await guest.submit(alice)
    cookies = {name: morsel for cookie in received for name, morsel in cookie.items()}
    assert {"csrftoken", *(["sessionid"] if guest.session else [])} <= cookies.keys()
    assert [name for name, morsel in cookies.items() if not morsel["secure"]] == []
    assert not guest.session or cookies["sessionid"]["httponly"]
