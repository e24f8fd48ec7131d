"""A stop closes every socket with 1012, the next run has the data of this one, and the project stays as it is."""

import asyncio

import pytest

from tests.guests.conftest import Enter
from tests.guests.guests import Guest
from tests.guests.local_site import hash_folder
from tests.guests.site import GuestSite, Visitor

SOCKETS = 20
SERVICE_RESTART = 1012  # RFC 6455, section 7.4.2: IANA's registry of close codes


async def test_a_restart_closes_each_socket_with_1012_and_keeps_the_data(
    enter: Enter, site: GuestSite, guest: Guest, text: str
) -> None:
    alice, bob = await enter("alice"), await enter("bob")
    paths = await guest.meet(alice)
    hers, his = await alice.connect(paths[0]), await bob.connect(paths[0])
    await guest.send(alice, hers, text, to=bob)
    assert guest.decode(await his.receive()) == text
    sockets = [await alice.connect(paths[number % len(paths)]) for number in range(SOCKETS)]
    closing = asyncio.gather(*(socket.wait_closed(timeout_seconds=60) for socket in sockets))

    assert site.servers
    await asyncio.to_thread(site.servers.stop)
    site.servers.start()  # not from a thread: the kernel ends a child with the thread that has started it

    assert await closing == [SERVICE_RESTART] * SOCKETS
    await alice.connect(paths[0])
    if guest.stores:
        assert text in await guest.read_page(bob, text)  # bob's session is still valid, too


async def test_no_byte_of_the_project_changes(enter: Enter, site: GuestSite, guest: Guest) -> None:
    await guest.meet(await enter("alice"))
    if site.folder:
        assert hash_folder(site.folder) == site.folder_hash


@pytest.mark.guests("hardcoded")
async def test_the_database_in_the_tree_is_not_used(site: GuestSite, guest: Guest) -> None:
    async with Visitor(site, "alice") as alice:
        assert "boat house" not in (await alice.get("/")).text
