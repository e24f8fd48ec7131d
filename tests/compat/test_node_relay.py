"""Node relay + Django: one public room, `{user_name, message}`, `POST /save_message/`, the whole history on load.

Its frames and requests are in node_relay.json, both directions, as they travel through nginx, gunicorn and daphne.
"""

import subprocess
import sys
from pathlib import Path
from uuid import uuid4

import pytest
from playwright.async_api import async_playwright, expect

from tests.browser.window import ARGUMENTS, CHROMIUM
from tests.chat_client import Closed
from tests.compat.transcript import Player
from tests.running import REPO, Stack, Wss

PROFILE = """
from chat.models import Room
Room.objects.update_or_create(slug="lobby", defaults={"body_chars": 140})
"""


def integration(stack: Stack, *arguments: str) -> str:
    """Run `manage.py integration` and return what it prints."""
    done = subprocess.run(
        [sys.executable, "app/manage.py", "integration", *arguments],
        cwd=REPO,
        env=stack.settings_environment(),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


async def integration_labels(stack: Stack, session: str, room: str) -> list[str]:
    """Return the labels beside the names of the authors on the page of the room."""
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        try:
            context = await browser.new_context(base_url=stack.url, ignore_https_errors=True)
            await context.add_cookies([{"name": "sessionid", "value": session, "url": stack.url, "secure": True}])
            page = await context.new_page()
            await page.goto(f"/rooms/{room}/")
            await expect(page.locator(".message").first).to_be_visible()
            return await page.locator(".message .via:visible").all_inner_texts()
        finally:
            await browser.close()


async def test_every_recorded_answer_is_unchanged(stack: Stack):
    stack.run_python(PROFILE)
    token = integration(stack, "Node relay", "--room", "lobby")
    player = Player(stack, relay=token, forged=token[:-1] + "!")
    await player.play(Path(__file__).parent / "node_relay.json")


async def test_an_integration_posts_with_its_label_until_it_is_removed_from_the_room_or_revoked(stack: Stack):
    token = integration(stack, "Bridge", "--room", "relayed", "--room", "relayed-too")
    (hers,) = stack.people("rosa")

    async def post(**fields: str) -> tuple[int, str]:
        async with stack.browser() as browser:
            form = {"user_name": "Kai", "message": "hi", **fields}
            answer = await browser.post("/save_message/", data=form, headers={"Authorization": f"Bearer {token}"})
        return answer.status_code, answer.text

    async with await stack.connect(hers) as rosa:
        for room in ("relayed", "relayed-too"):
            await rosa.join(room)
        assert await post() == (400, "error")  # the room is missing
        assert await post(room="relayed") == (200, "success")
        author = (await rosa.wait_for_message("relayed", "hi"))["author"]
        assert (author["name"], author["via"], author["guest"]) == ("Kai", "Bridge", False)
        assert await integration_labels(stack, hers, "relayed") == ["via Bridge"]
        # Rosa owns the room: she was the first to join after the integration.
        async with stack.browser(hers) as browser:
            removed = await browser.delete(f"/api/rooms/relayed/members/{author['id']}/")
        assert removed.status_code == 200, removed.text
        assert await post(room="relayed") == (404, "error")
        assert await post(message="only here now") == (200, "success")
        await rosa.wait_for_message("relayed-too", "only here now")
        integration(stack, "Bridge", "--revoke")
        assert await post(room="relayed-too") == (401, "error")


async def test_a_signed_in_user_posts_under_the_own_name_and_only_with_a_csrf_token(stack: Stack):
    (hers,) = stack.people("rosa")
    body = uuid4().hex
    async with await stack.connect(hers) as rosa, stack.browser(hers) as browser:
        await rosa.join("square")
        form = {"user_name": "teo", "message": body, "room": "square"}
        answer = await browser.post("/save_message/", data=form)
        assert (answer.status_code, answer.text) == (200, "success")
        assert (await rosa.wait_for_message("square", body))["author"] == {
            "id": rosa.welcome["user"]["id"],
            "name": "rosa",
            "guest": False,
        }
        del browser.headers["X-CSRFToken"]
        answer = await browser.post("/save_message/", data=form)
        assert (answer.status_code, answer.text) == (403, "error")


async def test_the_token_of_an_integration_is_valid_only_for_posting(stack: Stack):
    token = integration(stack, "Nosy", "--room", "nosy")
    async with stack.browser() as browser:
        answer = await browser.get("/api/rooms/", headers={"Authorization": f"Bearer {token}"})
    assert answer.status_code == 401
    headers = {"Authorization": f"Bearer {token}"}
    socket = await Wss.open(stack, "", origin=None, subprotocols=None, path="/ws/chat/", additional_headers=headers)
    assert await socket.receive() == '{"error":"The access token is not valid."}'
    with pytest.raises(Closed, match="4401"):
        await socket.receive()
