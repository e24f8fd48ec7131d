"""pt-BR chat: a list of users, a link that opens the private channel of two users, `{message, remetente}`.

Its frames are in pt_br_chat.json, both directions, as they travel through nginx and daphne.
"""

import json
import re
from pathlib import Path

from playwright.async_api import async_playwright, expect

from tests.browser.window import ARGUMENTS, CHROMIUM
from tests.compat.transcript import Player
from tests.running import Stack, Wss


async def test_every_recorded_answer_is_unchanged(stack: Stack):
    rosa, _ = stack.people("rosa", "teo")
    async with stack.browser(rosa) as browser:
        channel = (await browser.post("/api/rooms/", json={"kind": "direct", "username": "teo"})).json()["slug"]
    await Player(stack, canal=channel).play(Path(__file__).parent / "pt_br_chat.json")


async def test_the_list_of_users_opens_the_private_channel_of_two_users(stack: Stack):
    hers, his = stack.people("vera", "otto")
    async with async_playwright() as playwright, await stack.connect(his) as otto:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        try:
            context = await browser.new_context(base_url=stack.url, ignore_https_errors=True)
            await context.add_cookies([{"name": "sessionid", "value": hers, "url": stack.url, "secure": True}])
            page = await context.new_page()
            await page.goto("/rooms/harbour/")
            await page.get_by_role("link", name="Find people").click()
            await page.get_by_label("Search by name").fill("OTT")
            await page.get_by_role("button", name="Search").click()
            await page.get_by_role("button", name="Send a message to otto").click()
            await expect(page).to_have_title("otto · Parley")
            slug = page.url.rstrip("/").rsplit("/", 1)[1]
            assert re.fullmatch(r"~[A-Za-z0-9_-]{16}", slug)
            await expect(page.locator("#pill")).to_have_text("connected")
            compat = await Wss.open(stack, his, subprotocols=None, path=f"/ws/chat/{slug}")
            await otto.join(slug)
            await page.locator("#body").fill("só entre nós")
            await page.locator("#body").press("Enter")
            assert json.loads(await compat.receive()) == {"message": "só entre nós", "remetente": "vera"}
            await otto.wait_for_message(slug, "só entre nós")
            await compat.close()
        finally:
            await browser.close()
    async with stack.browser(hers) as browser:
        found = (await browser.get("/api/people/", params={"search": "otto"})).json()
    assert [one["username"] for one in found["people"]] == ["otto"]
