"""A rotation of the secret key while members talk: nobody is signed out, and no message is lost."""

import asyncio
from uuid import uuid4

from tests.docker.crowd import Talk, assert_all_received, crowd
from tests.vm.machine import Machine, Pages, Witnessed

FOLDER = "/etc/parley/credentials"


def read_keys(vm: Machine) -> list[str]:
    return vm.run(f"cat {FOLDER}/SECRET_KEY; echo; cat {FOLDER}/SECRET_KEY_FALLBACKS").split()


async def test_a_rotation_signs_nobody_out_and_loses_no_message(vm: Machine, site: Witnessed, record_property) -> None:
    before = read_keys(vm)
    cookies = await site.cookies(4)
    async with crowd(site, cookies, f"t-{uuid4().hex[:8]}", 40) as members:
        pages = Pages(site, "/api/rooms/", cookies={"sessionid": cookies[0]})
        reading = asyncio.ensure_future(pages.run())
        async with Talk(members, 10) as talk:
            await talk.acks(5)
            rotated = (await asyncio.to_thread(vm.make, "rotate")).check()
            await talk.acks(20)
        reading.cancel()
        await asyncio.gather(reading, return_exceptions=True)
        record_property("rotation_seconds", round(rotated.seconds, 1))
        record_property("closes", dict(site.codes))
        record_property("longest_away_seconds", round(max(max(member.away) for member in members), 1))
        record_property("pages", dict(pages.answers))
        await assert_all_received(members, talk.acked)
        assert all(member.refusals == [] for member in members)
    assert set(site.codes) <= {1012}
    assert set(pages.answers) == {"200"}  # a signed-out user gets 401 or 403 there
    after = read_keys(vm)
    assert after[0] not in before
    assert after[1] == before[0]
    for cookie in cookies:
        async with site.browser(cookies={"sessionid": cookie}) as browser:
            answer = await browser.get("/api/rooms/")
            assert (answer.status_code, dict(answer.cookies)) == (200, {})


async def test_a_key_that_others_know_is_replaced_and_everybody_signs_in_again(vm: Machine, site: Witnessed) -> None:
    (cookie,) = await site.cookies(1)
    before = read_keys(vm)
    vm.make("rotate", ARGS="-e site_end_sessions=true").check()
    assert not set(before) & set(read_keys(vm))
    async with site.browser(cookies={"sessionid": cookie}) as browser:
        assert (await browser.get("/api/rooms/")).status_code in (401, 403)
