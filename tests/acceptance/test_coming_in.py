"""From the first page to one's own name in a room, in plain HTTP."""

from collections.abc import Awaitable, Callable

import httpx
import pytest

from tests.acceptance.site import Person, Site


@pytest.mark.parametrize("come_in", [Person.as_guest, Person.with_account], ids=["a guest", "an account"])
async def test_whoever_comes_in_is_known_by_name_until_signing_out(
    site: Site, room: str, come_in: Callable[[Person], Awaitable[httpx.Response]]
) -> None:
    async with Person(site) as alice:
        assert (await alice.who(room)).headers["location"] == f"/accounts/login/?next=/rooms/{room}/"
        answer = await come_in(alice)
        assert (answer.status_code, answer.headers["location"]) == (302, "/")
        assert alice.name in (await alice.who(room)).text
        assert (await alice.submit("/accounts/logout/")).status_code == 302
        assert (await alice.who(room)).status_code == 302


async def test_a_form_that_no_page_of_ours_has_sent_is_refused(site: Site) -> None:
    async with site.browser() as browser:
        answer = await browser.post("/guest/", data={"name": "mallory"})
    assert answer.status_code == 403
    assert "sessionid" not in answer.cookies


async def test_cookies_are_for_https_and_the_sessions_not_for_scripts(site: Site) -> None:
    async with Person(site) as alice:
        cookies = (await alice.as_guest()).headers.get_list("set-cookie")
    (session,) = (cookie for cookie in cookies if cookie.startswith("sessionid="))
    assert all("Secure" in cookie for cookie in cookies)
    assert "HttpOnly" in session
    assert "SameSite=Lax" in session
