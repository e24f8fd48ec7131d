"""A lost connection loses no message."""

from tests.acceptance.site import SignIn


async def test_a_client_that_reconnects_gets_exactly_the_messages_it_missed(people: SignIn, room: str) -> None:
    alice = await people()
    bob = await people()
    async with await alice.connect() as hers:
        await hers.join(room)
        async with await bob.connect() as his:
            await his.join(room)
            await hers.post(room, "before")
            await his.wait_for_message(room, "before")
            before = his.rooms[room]
            his.transport.connection.transport.abort()  # without a close frame
        for body in ("one", "two", "three"):
            await hers.post(room, body)
        async with await bob.connect() as his:
            his.rooms[room] = before
            joined = await his.join(room, resume=True)
            assert joined["recovered"]
            assert [post["body"] for post in before.posts] == ["before", "one", "two", "three"]
            await hers.post(room, "after")
            await his.wait_for_message(room, "after")


async def test_a_message_that_is_sent_twice_is_stored_once(people: SignIn, room: str) -> None:
    alice = await people()
    cid = "0e0a7d6c-93a0-4a55-8fd3-9f5a6f1f8e01"
    answers = []
    for _ in range(2):
        async with await alice.connect() as hers:
            await hers.join(room)
            answers.append(await hers.post(room, "sent twice", cid))
    assert [answer["dup"] for answer in answers] == [False, True]
    assert answers[0]["message"]["id"] == answers[1]["message"]["id"]
