"""Releases while members talk; releases that fail."""

import asyncio
from contextlib import AsyncExitStack
from pathlib import Path
from uuid import uuid4

import pytest

from tests.docker.crowd import Talk, assert_all_received, crowd
from tests.vm.checkout import Checkout
from tests.vm.machine import Handshakes, Machine, Pages, Witnessed

SOCKETS, SOCKETS_PER_USER = 500, 10
RATE = 50  # messages a second
RELEASES = 5
MAX_AWAY_SECONDS = 3  # on a busy machine; on an idle one it is below 1


@pytest.fixture
def checkout(tmp_path: Path) -> Checkout:
    return Checkout(tmp_path / "parley")


async def test_five_releases_lose_no_message(vm: Machine, site: Witnessed, checkout: Checkout, record_property) -> None:
    # Fifty rooms of ten: in one room every message would be five hundred deliveries, and this test the slowest part.
    cookies = await site.cookies(SOCKETS // SOCKETS_PER_USER)
    async with AsyncExitStack() as open_:
        rooms = [
            await open_.enter_async_context(crowd(site, [cookie], f"t-{uuid4().hex[:8]}", SOCKETS_PER_USER))
            for cookie in cookies
        ]
        members = [member for room in rooms for member in room]
        pages = Pages(site)
        reading = asyncio.ensure_future(pages.run())
        async with AsyncExitStack() as talking:
            talks = [await talking.enter_async_context(Talk(room, RATE / len(rooms))) for room in rooms]
            for _ in range(RELEASES):
                version = checkout.commit()
                (await asyncio.to_thread(vm.playbook, "deploy.yml", repo=checkout.folder)).check()
                assert vm.release == version
                await asyncio.gather(*(talk.acks(1) for talk in talks))
            codes = dict(site.codes)
        reading.cancel()
        await asyncio.gather(reading, return_exceptions=True)
        away = sorted(seconds for member in members for seconds in member.away)
        p99 = away[int(len(away) * 0.99)]
        record_property("messages", sum(len(talk.acked) for talk in talks))
        record_property("reconnects", len(away))
        record_property("reconnect_p99_seconds", round(p99, 2))
        record_property("closes", codes)
        record_property("pages", dict(pages.answers))
        record_property("slowest_page_seconds", round(pages.slowest, 2))
        for room, talk in zip(rooms, talks, strict=True):
            await assert_all_received(room, talk.acked)
        assert all(member.refusals == [] for member in members)
        assert set(codes) == {1012}
        # A successor is ready when the sockets reconnect, so few of them reach a server that is replaced next.
        assert SOCKETS * RELEASES <= len(away) < SOCKETS * RELEASES * 1.1
        assert p99 < 3
        assert set(pages.answers) == {"200"}
    kept = vm.run("ls -d /opt/parley/releases/*/ | wc -l")
    assert int(kept) <= 5


BROKEN = {
    # A failed import is found before the release serves.
    "import": ("app/config/wsgi.py", lambda text: text + "\nraise RuntimeError('this release is broken')\n"),
    # A successor that fails at its start is ended, and its predecessor keeps serving.
    "start": (
        "app/channels_realtime/server.py",
        lambda text: text.replace(
            "        reactor.callWhenRunning",
            "        raise RuntimeError('this release is broken')\n        reactor.callWhenRunning",
        ),
    ),
}


@pytest.mark.parametrize("kind", BROKEN)
async def test_a_broken_release_is_rolled_back(
    vm: Machine, site: Witnessed, tmp_path: Path, kind: str, record_property
) -> None:
    before = vm.release
    path, change = BROKEN[kind]
    broken = Checkout(tmp_path / "broken")
    broken.commit(path, change)
    cookies = await site.cookies(2)
    async with crowd(site, cookies, f"t-{uuid4().hex[:8]}", 20) as members:
        pages = Pages(site)
        reading = asyncio.ensure_future(pages.run())
        async with Talk(members, 10) as talk:
            await talk.acks(5)
            played = await asyncio.to_thread(vm.playbook, "deploy.yml", repo=broken.folder)
            await talk.acks(20)
        reading.cancel()
        await asyncio.gather(reading, return_exceptions=True)
        codes = dict(site.codes)
        record_property("slowest_page_seconds", round(pages.slowest, 2))
        await assert_all_received(members, talk.acked)
    assert played.code != 0
    assert "this release is broken" in played.output
    assert vm.release == before
    assert codes == {}  # no socket was closed
    assert set(pages.answers) == {"200"}


async def test_a_release_that_refuses_nginx_never_serves(vm: Machine, site: Witnessed, tmp_path: Path) -> None:
    before = vm.release
    refusing = Checkout(tmp_path / "refusing")  # each process is healthy, and refuses the requests that nginx forwards
    guard = "    host = headers.get("
    refusing.commit(
        "app/channels_realtime/origins.py",
        lambda text: text.replace(guard, f'    if b"x-forwarded-for" in headers:\n        return "refused"\n{guard}'),
    )
    cookies = await site.cookies(2)
    async with crowd(site, cookies, f"t-{uuid4().hex[:8]}", 20) as members:
        async with Talk(members, 10) as talk:
            await talk.acks(5)
            played = await asyncio.to_thread(vm.playbook, "deploy.yml", repo=refusing.folder)
            await talk.acks(20)
        await assert_all_received(members, talk.acked)
        codes = dict(site.codes)
    assert played.code != 0
    assert "the probe /ws/ is answered by 403" in played.output
    assert "was not switched to" in played.output
    assert vm.release == before
    assert codes == {}  # no socket was closed


def test_a_failed_migration_stops_the_release(vm: Machine, site: Witnessed, tmp_path: Path) -> None:
    before, pid = vm.release, vm.pid("parley-web.service")
    broken = Checkout(tmp_path / "broken")
    leaf = max((broken.folder / "app/chat/migrations").glob("0*.py")).stem
    migration = (
        "from django.db import migrations\n\n\nclass Migration(migrations.Migration):\n"
        f"    dependencies = [('chat', '{leaf}')]\n"
        "    operations = [migrations.RunSQL('SELECT 1 / 0', migrations.RunSQL.noop)]\n"
    )
    broken.commit("app/chat/migrations/9999_broken.py", lambda _: migration)
    played = vm.playbook("deploy.yml", repo=broken.folder)
    assert played.code != 0
    assert "was not switched to" in played.output
    assert vm.release == before
    assert vm.pid("parley-web.service") == pid  # it was not restarted


async def test_a_rollback_refuses_nobody(vm: Machine, site: Witnessed, checkout: Checkout, record_property) -> None:
    before = vm.release
    checkout.commit()
    (await asyncio.to_thread(vm.playbook, "deploy.yml", repo=checkout.folder)).check()
    cookies = await site.cookies(4)
    async with crowd(site, cookies, f"t-{uuid4().hex[:8]}", 40) as members:
        pages, handshakes = Pages(site), Handshakes(site, cookies[0])
        trying = [asyncio.ensure_future(each.run()) for each in (pages, handshakes)]
        async with Talk(members, 10) as talk:
            await talk.acks(5)
            played = (await asyncio.to_thread(vm.make, "rollback")).check()
            await talk.acks(20)
        for task in trying:
            task.cancel()
        await asyncio.gather(*trying, return_exceptions=True)
        away = [seconds for member in members for seconds in member.away]
        record_property("rollback_seconds", round(played.seconds, 1))
        record_property("closes", dict(site.codes))
        record_property("longest_away_seconds", round(max(away), 2))
        record_property("handshakes", dict(handshakes.answers))
        record_property("slowest_page_seconds", round(pages.slowest, 2))
        record_property("messages", len(talk.acked))
        await assert_all_received(members, talk.acked)
        assert all(member.refusals == [] for member in members)
    assert vm.release == before
    assert set(handshakes.answers) == {"101"}
    assert set(pages.answers) == {"200"}
    assert set(site.codes) == {1012}
    assert max(away) < MAX_AWAY_SECONDS
