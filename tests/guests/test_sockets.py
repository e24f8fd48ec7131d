"""Handshakes and messages on the guests' own routes, without a change of their consumers."""

import pytest
from websockets.exceptions import InvalidStatus

from tests.guests.conftest import Enter
from tests.guests.guests import Guest

OTHER_SITE = "https://mallory.example"
# Longer than the 5 s after which redis-py 8 gives up reading, and channels_redis then closes the socket with 1011.
IDLE_SECONDS = 7


async def test_a_message_reaches_the_sockets_of_another_visitor(enter: Enter, guest: Guest, text: str) -> None:
    alice, bob = await enter("alice"), await enter("bob")
    paths = await guest.meet(alice)
    hers = await alice.connect(paths[0])
    his = [await bob.connect(path) for path in paths for _ in range(2)]  # more than one server takes them
    await guest.send(alice, hers, text, to=bob)
    assert [guest.decode(await socket.receive()) for socket in his] == [text] * len(his)


async def test_a_page_of_another_site_opens_no_socket(enter: Enter, guest: Guest) -> None:
    alice = await enter("alice")
    for path in await guest.meet(alice):
        with pytest.raises(InvalidStatus) as refused:
            await alice.connect(path, origin=OTHER_SITE)
        assert refused.value.response.status_code == 403


async def test_a_visitor_without_an_account_is_refused_as_the_consumer_wants(enter: Enter, guest: Guest) -> None:
    alice = await enter("alice")
    path = (await guest.meet(alice))[0]
    alice.browser.cookies.clear()
    if guest.name == "notifications":
        with pytest.raises(InvalidStatus) as refused:
            await alice.connect(path)
        assert refused.value.response.status_code == 403
    else:
        await alice.connect(path)


async def test_a_path_without_a_route_is_refused(enter: Enter, guest: Guest) -> None:
    alice = await enter("alice")
    with pytest.raises(InvalidStatus) as refused:
        await alice.connect("/there/is/no/such/socket/")
    assert refused.value.response.status_code in (403, 404)


@pytest.mark.guests("hardcoded")
async def test_a_socket_opens_at_the_port_that_the_page_names(enter: Enter, guest: Guest, text: str) -> None:
    alice, bob = await enter("alice"), await enter("bob")
    (path,) = await guest.meet(alice)
    (port,) = guest.ports
    hers, his = await alice.connect(path, port=port), await bob.connect(path)
    await guest.send(alice, hers, text, to=bob)
    assert guest.decode(await his.receive()) == text


@pytest.mark.guests("tutorial", "notifications")  # a layer of the stack's, and one that the project makes itself
async def test_an_idle_socket_stays_open(enter: Enter, guest: Guest, text: str) -> None:
    alice, bob = await enter("alice"), await enter("bob")
    (path,) = await guest.meet(alice)
    hers, his = await alice.connect(path), await bob.connect(path)
    with pytest.raises(TimeoutError):
        await his.wait_closed(timeout_seconds=IDLE_SECONDS)
    await guest.send(alice, hers, text, to=bob)
    assert guest.decode(await his.receive()) == text
