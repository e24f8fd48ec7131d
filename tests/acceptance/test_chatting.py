"""Two visitors chat over wss."""

from tests.acceptance.site import SignIn, Site
from tests.chat_client import ChatClient


async def test_messages_arrive_at_once_and_in_order(people: SignIn, room: str) -> None:
    alice = await people()
    bob = await people()
    async with await alice.connect() as hers, await bob.connect() as his:
        await hers.join(room)
        await his.join(room)
        bodies = [f"message {number}" for number in range(20)]
        for body in bodies:
            await hers.post(room, body)
        await his.wait_for_message(room, bodies[-1])
        assert [post["body"] for post in his.rooms[room].posts] == bodies
        assert {post["author"]["name"] for post in his.rooms[room].posts} == {alice.name}

        await his.post(room, "I received all of them")
        assert (await hers.wait_for_message(room, "I received all of them"))["author"]["name"] == bob.name


async def test_a_message_over_http_reaches_the_sockets(people: SignIn, room: str) -> None:
    alice = await people()
    bob = await people()
    async with await bob.connect() as his:
        await his.join(room)
        token = {"X-CSRFToken": alice.browser.cookies["csrftoken"]}
        assert (await alice.browser.post(f"/api/rooms/{room}/join/", headers=token)).status_code == 200
        message = {"cid": "5f0c2f46-4b39-4b3b-9a53-0a1d5f5c5a11", "body": "from a program"}
        answer = await alice.browser.post(f"/api/rooms/{room}/messages/", json=message, headers=token)
        assert answer.status_code == 201
        await his.wait_for_message(room, "from a program")


async def test_a_socket_without_a_session_is_closed(site: Site) -> None:
    client = ChatClient(await site.wss())
    await client.open()
    await client.send_command("hello")
    assert await client.wait_closed() == 4401
