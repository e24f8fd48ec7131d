"""Two people talk over wss."""

from tests.acceptance.site import Come, Site
from tests.tab import Tab


async def test_what_one_says_the_other_hears_at_once_and_in_order(people: Come, room: str) -> None:
    alice = await people()
    bob = await people()
    async with await alice.tab() as hers, await bob.tab() as his:
        await hers.join(room)
        await his.join(room)
        words = [f"word {number}" for number in range(20)]
        for word in words:
            await hers.post(room, word)
        await his.hears(room, words[-1])
        assert [post["body"] for post in his.rooms[room].posts] == words
        assert {post["author"]["name"] for post in his.rooms[room].posts} == {alice.name}

        await his.post(room, "I heard it all")
        assert (await hers.hears(room, "I heard it all"))["author"]["name"] == bob.name


async def test_what_is_said_over_http_is_heard_on_the_socket(people: Come, room: str) -> None:
    alice = await people()
    bob = await people()
    async with await bob.tab() as his:
        await his.join(room)
        token = {"X-CSRFToken": alice.browser.cookies["csrftoken"]}
        assert (await alice.browser.post(f"/api/rooms/{room}/join/", headers=token)).status_code == 200
        said = {"cid": "5f0c2f46-4b39-4b3b-9a53-0a1d5f5c5a11", "body": "from a program"}
        answer = await alice.browser.post(f"/api/rooms/{room}/messages/", json=said, headers=token)
        assert answer.status_code == 201
        await his.hears(room, "from a program")


async def test_without_a_session_nobody_talks(site: Site) -> None:
    tab = Tab(await site.wss())
    await tab.open()
    await tab.say("hello")
    assert await tab.end() == 4401
