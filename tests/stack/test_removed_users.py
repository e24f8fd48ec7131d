"""A user who is removed, signs out or changes their password receives nothing that is posted over a second later."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from uuid import uuid4

import httpx
import pytest

from tests.running import Stack
from tests.tab import Tab

PASSWORD = "correct horse battery staple"
AT_ONCE = 1.0  # seconds from commit to silence
SIGNED_UP = """
import sys
from accounts.models import User
from tests.signed_in import session_of
user = User.objects.create_user(sys.argv[1], password=sys.argv[2])
print(session_of(user), session_of(user))
"""


async def kicked(owner: httpx.AsyncClient, his: httpx.AsyncClient, room: str, me: int) -> None:
    assert (await owner.delete(f"/api/rooms/{room}/members/{me}/")).status_code == 200


async def banned(owner: httpx.AsyncClient, his: httpx.AsyncClient, room: str, me: int) -> None:
    assert (await owner.put(f"/api/rooms/{room}/bans/{me}/")).status_code == 200


async def signed_out(owner: httpx.AsyncClient, his: httpx.AsyncClient, room: str, me: int) -> None:
    assert (await his.post("/accounts/logout/")).status_code == 302


async def changed_password(owner: httpx.AsyncClient, his: httpx.AsyncClient, room: str, me: int) -> None:
    new = "another battery staple"
    form = {"oldpassword": PASSWORD, "password1": new, "password2": new}
    answer = await his.post("/accounts/password/change/", data=form)
    assert answer.status_code == 302, answer.text


@pytest.mark.parametrize("done", [kicked, banned, signed_out, changed_password])
async def test_nothing_is_heard_a_second_after(
    stack: Stack, done: Callable[[httpx.AsyncClient, httpx.AsyncClient, str, int], Awaitable[None]]
):
    room, name = f"deck-{uuid4().hex[:6]}", f"tom-{uuid4().hex[:6]}"
    (owner_cookie,) = stack.people("una")
    cookie, other_cookie = stack.run_python(SIGNED_UP, name, PASSWORD).split()
    his = await stack.tab(other_cookie if done is changed_password else cookie, through="ws2")
    async with (
        await stack.tab(owner_cookie, through="ws1") as hers,
        his,
        stack.browser(owner_cookie) as owner,
        stack.browser(cookie) as page,
    ):
        for tab in (hers, his):
            await tab.join(room)
        committed = await _talk_while(hers, room, lambda: done(owner, page, room, his.welcome["user"]["id"]))
        heard = {post["body"] for post in his.rooms[room].posts}
        assert heard, "he was there before"
        late = [body for body in heard if float(body) > committed + AT_ONCE]
        assert late == []
        if done in (kicked, banned):
            assert [frame["room"] for frame in his.frames if frame["type"] == "left"] == [room]
        else:
            assert await his.end() == 4401


async def _talk_while(tab: Tab, room: str, act: Callable[[], Awaitable[None]]) -> float:
    """Say what time it is, on and on, while and after it is done. Returns when it was done."""
    stop = asyncio.Event()

    async def talk() -> None:
        while not stop.is_set():
            await tab.post(room, str(time.time()))
            await asyncio.sleep(0.02)  # the pace of the talk

    talking = asyncio.ensure_future(talk())
    await tab.until(lambda tab: len(tab.rooms[room].posts) > 5, "the talk to begin")
    await act()
    committed = time.time()
    await tab.until(lambda tab: float(tab.rooms[room].posts[-1]["body"]) > committed + AT_ONCE + 1)
    stop.set()
    await talking
    return committed
