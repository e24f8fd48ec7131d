"""A visitor signs in and sees a room under their own name, over plain HTTP requests."""

from collections.abc import Awaitable, Callable

import httpx
import pytest

from tests.acceptance.site import Person, Site


@pytest.mark.parametrize("sign_in", [Person.as_guest, Person.with_account], ids=["a guest", "an account"])
async def test_a_visitor_has_their_name_in_a_room_until_they_sign_out(
    site: Site, room: str, sign_in: Callable[[Person], Awaitable[httpx.Response]]
) -> None:
    async with Person(site) as alice:
        assert (await alice.get_room(room)).headers["location"] == f"/accounts/login/?next=/rooms/{room}/"
        answer = await sign_in(alice)
        assert (answer.status_code, answer.headers["location"]) == (302, "/")
        assert alice.name in (await alice.get_room(room)).text
        assert (await alice.submit("/accounts/logout/")).status_code == 302
        assert (await alice.get_room(room)).status_code == 302


async def test_a_form_without_a_csrf_token_is_refused(site: Site) -> None:
    async with site.browser() as browser:
        answer = await browser.post("/guest/", data={"name": "mallory"})
    assert answer.status_code == 403
    assert "sessionid" not in answer.cookies


async def test_cookies_need_https_and_scripts_cannot_read_the_session(site: Site) -> None:
    async with Person(site) as alice:
        cookies = (await alice.as_guest()).headers.get_list("set-cookie")
    (session,) = (cookie for cookie in cookies if cookie.startswith("sessionid="))
    assert all("Secure" in cookie for cookie in cookies)
    assert "HttpOnly" in session
    assert "SameSite=Lax" in session
