"""A user who is removed, signs out or changes the password receives no message sent more than a second later."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from uuid import uuid4

import httpx
import pytest

from tests.chat_client import ChatClient
from tests.running import Stack

PASSWORD = "correct horse battery staple"
MAX_DELAY_SECONDS = 1.0  # from the commit to the last message that may arrive
SIGN_UP = """
import sys
from accounts.models import User
from tests.signed_in import session_of
user = User.objects.create_user(sys.argv[1], password=sys.argv[2])
print(session_of(user), session_of(user))
"""


async def remove(owner: httpx.AsyncClient, his: httpx.AsyncClient, room: str, me: int) -> None:
    assert (await owner.delete(f"/api/rooms/{room}/members/{me}/")).status_code == 200


async def ban(owner: httpx.AsyncClient, his: httpx.AsyncClient, room: str, me: int) -> None:
    assert (await owner.put(f"/api/rooms/{room}/bans/{me}/")).status_code == 200


async def sign_out(owner: httpx.AsyncClient, his: httpx.AsyncClient, room: str, me: int) -> None:
    assert (await his.post("/accounts/logout/")).status_code == 302


async def change_password(owner: httpx.AsyncClient, his: httpx.AsyncClient, room: str, me: int) -> None:
    password = "another battery staple"
    form = {"oldpassword": PASSWORD, "password1": password, "password2": password}
    answer = await his.post("/accounts/password/change/", data=form)
    assert answer.status_code == 302, answer.text


@pytest.mark.parametrize("act", [remove, ban, sign_out, change_password])
async def test_a_user_who_loses_access_receives_nothing_a_second_later(
    stack: Stack, act: Callable[[httpx.AsyncClient, httpx.AsyncClient, str, int], Awaitable[None]]
):
    room, name = f"deck-{uuid4().hex[:6]}", f"tom-{uuid4().hex[:6]}"
    (owner_cookie,) = stack.people("una")
    cookie, other_cookie = stack.run_python(SIGN_UP, name, PASSWORD).split()
    his = await stack.connect(other_cookie if act is change_password else cookie, through="ws2")
    async with (
        await stack.connect(owner_cookie, through="ws1") as hers,
        his,
        stack.browser(owner_cookie) as owner,
        stack.browser(cookie) as his_browser,
    ):
        for client in (hers, his):
            await client.join(room)
        committed = await _post_during(hers, room, lambda: act(owner, his_browser, room, his.welcome["user"]["id"]))
        received = {post["body"] for post in his.rooms[room].posts}
        assert received, "no message arrived before"
        late = [body for body in received if float(body) > committed + MAX_DELAY_SECONDS]
        assert late == []
        if act in (remove, ban):
            assert [frame["room"] for frame in his.frames if frame["type"] == "left"] == [room]
        else:
            assert await his.wait_closed() == 4401


async def _post_during(client: ChatClient, room: str, act: Callable[[], Awaitable[None]]) -> float:
    """Post the time again and again before, during and after `act`. Returns the time at which `act` was done."""
    stop = asyncio.Event()

    async def post_times() -> None:
        while not stop.is_set():
            await client.post(room, str(time.time()))
            await asyncio.sleep(0.02)  # the rate of the messages

    posting = asyncio.ensure_future(post_times())
    await client.wait_until(lambda client: len(client.rooms[room].posts) > 5, "the first messages")
    await act()
    committed = time.time()
    await client.wait_until(
        lambda client: float(client.rooms[room].posts[-1]["body"]) > committed + MAX_DELAY_SECONDS + 1
    )
    stop.set()
    await posting
    return committed
