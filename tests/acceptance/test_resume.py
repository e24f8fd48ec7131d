"""A line that drops loses nothing."""

from tests.acceptance.site import Come


async def test_who_comes_back_gets_exactly_what_was_missed(people: Come, room: str) -> None:
    alice = await people()
    bob = await people()
    async with await alice.tab() as hers:
        await hers.join(room)
        async with await bob.tab() as his:
            await his.join(room)
            await hers.post(room, "before")
            await his.hears(room, "before")
            before = his.rooms[room]
            his.transport.connection.transport.abort()  # as a tunnel does: no goodbye
        for word in ("one", "two", "three"):
            await hers.post(room, word)
        async with await bob.tab() as his:
            his.rooms[room] = before
            joined = await his.join(room, resume=True)
            assert joined["recovered"]
            assert [post["body"] for post in before.posts] == ["before", "one", "two", "three"]
            await hers.post(room, "after")
            await his.hears(room, "after")


async def test_what_is_sent_again_after_a_lost_answer_is_there_once(people: Come, room: str) -> None:
    alice = await people()
    cid = "0e0a7d6c-93a0-4a55-8fd3-9f5a6f1f8e01"
    answers = []
    for _ in range(2):
        async with await alice.tab() as hers:
            await hers.join(room)
            answers.append(await hers.post(room, "said once", cid))
    assert [answer["dup"] for answer in answers] == [False, True]
    assert answers[0]["message"]["id"] == answers[1]["message"]["id"]
