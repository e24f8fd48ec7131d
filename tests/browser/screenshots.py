"""Screenshots of every page in every state: `python -m tests.browser.screenshots FOLDER [NAME...]`.

390 and 1280 px wide, light and dark. With names, only the screenshots whose name starts with one of them.
"""

import json
import re
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, BrowserContext, Page, WebSocketRoute, expect

from tests.browser.window import RoomPage, chromium, context_of
from tests.running import Stack

SIZES = {"1280": {"width": 1280, "height": 800}, "390": {"width": 390, "height": 844}}

HARBOUR = "from tests.browser import harbour; "

UNSENT = """([user, room]) => new Promise((done) => {
  const opening = indexedDB.open("parley", 1);
  opening.onsuccess = () => {
    const transaction = opening.result.transaction("outbox", "readwrite");
    const item = (body, failed) => ({ cid: crypto.randomUUID(), user, room, body, failed, reply_to: null,
      at: new Date(Date.now() + (failed ? 0 : 1)).toISOString() });
    transaction.objectStore("outbox").put(item("This one the server refused.", "You are not a member of this room."));
    transaction.objectStore("outbox").put(item("And this one is still on its way.", null));
    transaction.oncomplete = () => { opening.result.close(); done(); };
  };
})"""


class Studio:
    """Takes screenshots in one width and colour scheme."""

    def __init__(self, browser: Browser, stack: Stack, folder: Path, wanted: list[str], size: str, scheme: str) -> None:
        self.browser, self.stack, self.folder, self.wanted = browser, stack, folder, wanted
        self.size, self.scheme = size, scheme

    def context(self, session: str = "", **options: Any) -> BrowserContext:
        touch = self.size == "390"
        return context_of(
            self.browser,
            self.stack,
            session,
            viewport=SIZES[self.size],
            color_scheme=self.scheme,
            has_touch=touch,
            is_mobile=touch,
            **options,
        )

    def picture(self, name: str, session: str, pose: Callable[[Page], None]) -> None:
        if self.wanted and not name.startswith(tuple(self.wanted)):
            return
        context = self.context(session)
        page = context.new_page()
        page.on("pageerror", lambda error: print(f"{name}: {error}", file=sys.stderr))
        page.on(
            "console", lambda line: print(f"{name}: {line.text}", file=sys.stderr) if line.type == "error" else None
        )
        pose(page)
        page.screenshot(path=self.folder / f"{name}-{self.size}-{self.scheme}.png")
        context.close()


def hold_sends(socket: WebSocketRoute) -> None:
    """Pass everything to the server but the command to send a message."""
    server = socket.connect_to_server()
    socket.on_message(lambda text: None if '"type":"send"' in str(text) else server.send(text))


def busy(page: Page) -> None:
    """Show a room in most of its states at once."""
    RoomPage(page, "empty").wait_until_joined()
    user = page.evaluate("JSON.parse(document.querySelector('#page').textContent).user.id")
    page.evaluate(UNSENT, [user, "harbour"])
    page.route_web_socket("**/ws/", hold_sends)
    room = RoomPage(page, "harbour")
    room.wait_until_joined()
    expect(room.message("And this one is still on its way.")).to_be_visible()


def scrolled(page: Page) -> None:
    """Scroll up, with new messages below and the toolbar of a message."""
    room = RoomPage(page, "harbour")
    expect(page.locator(".new-messages")).to_be_visible()
    page.locator("#log").evaluate("(log) => log.scrollTo(0, log.scrollHeight - log.clientHeight - 260)")
    expect(page.locator("#jump-to-latest")).to_be_visible()
    target = room.messages.filter(has_text="Typed this while")
    target.tap() if page.evaluate("matchMedia('(hover: none)').matches") else target.hover()
    expect(page.locator(".message-toolbar")).to_be_visible()


def replying(page: Page) -> None:
    room = RoomPage(page, "harbour")
    target = room.messages.filter(has_text="Am I in the right place?").filter(has_not_text="Coffee")
    target.scroll_into_view_if_needed()
    target.click()
    target.get_by_role("button", name="Reply").click()
    room.composer.fill("Two lines of an answer,\nthe second of which is here.")


def editing(page: Page) -> None:
    room = RoomPage(page, "harbour")
    room.wait_until_joined()
    expect(page.locator(".mine")).not_to_have_count(0)
    room.composer.press("ArrowUp")
    expect(page.locator(".edit-form")).to_be_visible()


def deleting(page: Page) -> None:
    room = RoomPage(page, "harbour")
    target = room.messages.filter(has_text="Typed this while")
    target.scroll_into_view_if_needed()
    target.click()
    target.get_by_role("button", name="Delete").click()
    expect(page.locator(".delete-confirmation")).to_be_visible()


def reconnecting(page: Page) -> None:
    """Lose the server, and write a message that has to wait."""
    tries: list[WebSocketRoute] = []

    def once(socket: WebSocketRoute) -> None:
        tries.append(socket)
        if len(tries) == 1:
            socket.connect_to_server()
        else:
            socket.close(code=1012)

    page.route_web_socket("**/ws/", once)
    room = RoomPage(page, "harbour")
    room.wait_until_joined()
    tries[0].close(code=1012)
    expect(room.pill).to_contain_text("reconnecting")
    room.send("Written without a connection.")
    expect(room.message("Written without a connection.")).to_be_visible()
    expect(room.pill).to_contain_text("in 4 s", timeout=20_000)


def signed_out(page: Page) -> None:
    sockets: list[WebSocketRoute] = []

    def catch(socket: WebSocketRoute) -> None:
        socket.connect_to_server()
        sockets.append(socket)

    page.route_web_socket("**/ws/", catch)
    RoomPage(page, "harbour").wait_until_joined()
    sockets[0].close(code=4401)
    expect(page.locator("#pill")).to_have_text("reconnecting in 1 s")
    page.wait_for_event("websocket")
    sockets[-1].close(code=4401)
    expect(page.locator("#notice")).to_be_visible()


def show_presence(page: Page) -> None:
    """Show one of five members as offline and one as idle, with a frame of our own."""
    room = re.search(r"/rooms/([^/]+)/", page.url)
    people = page.evaluate("fetch(`/api${location.pathname}members/`).then((answer) => answer.json())")["members"]
    ids = sorted(member["user"]["id"] for member in people)
    presence = {"here": len(ids) - 1, "online": ids[:-1], "idle": ids[1:2]}
    assert room
    tell(page, {"type": "ephemeral", "room": room[1], "kind": "presence", **presence})


def tell(page: Page, frame: dict[str, Any]) -> None:
    page.evaluate("(frame) => sockets[0].onmessage({ data: frame })", json.dumps(frame))


def with_members(slug: str, *steps: Callable[[Page], None]) -> Callable[[Page], None]:
    """Open the room with the members panel."""

    def pose(page: Page) -> None:
        page.add_init_script(
            "window.sockets = []; const Real = WebSocket;"
            "WebSocket = class extends Real { constructor(...args) { super(...args); sockets.push(this); } };"
        )
        RoomPage(page, slug).wait_until_joined()
        if page.locator("#members-panel").is_hidden():
            page.locator("#members-button").click()
        expect(page.locator(".member")).not_to_have_count(0)
        show_presence(page)
        expect(page.locator('.group[data-presence="offline"]')).to_be_visible()
        for step in steps:
            step(page)

    return pose


def choosing(page: Page) -> None:
    page.get_by_role("button", name="Actions for Diego Funes").click()
    expect(page.locator(".member-actions")).to_be_visible()


def banning(page: Page) -> None:
    page.get_by_role("button", name="Ban", exact=True).click()
    expect(page.locator(".confirmation")).to_be_visible()


def inviting(page: Page) -> None:
    page.locator("#invite summary").click()
    page.get_by_role("button", name="Create link").click()
    expect(page.locator(".new-link")).to_be_visible()
    expect(page.locator(".links li")).not_to_have_count(0)


def banned_list(page: Page) -> None:
    page.locator("#banned summary").click()
    expect(page.get_by_role("button", name="Unban")).to_be_visible()


def conversation(slug: str) -> Callable[[Page], None]:
    def pose(page: Page) -> None:
        RoomPage(page, slug).wait_until_joined()
        expect(page.locator("#topic")).to_have_text(re.compile("online|offline"), timeout=20_000)

    return pose


def private_form(page: Page) -> None:
    page.goto("/rooms/")
    page.get_by_text("Create a private room").click()


def removed(page: Page) -> None:
    with_members("harbour")(page)
    tell(page, {"type": "left", "room": "harbour", "reason": ""})
    expect(page.locator("#notice")).to_be_visible()


def at(url: str) -> Callable[[Page], None]:
    return lambda page: void(page.goto(url))


def void(_: object) -> None:
    return None


def empty(page: Page) -> None:
    RoomPage(page, "empty").wait_until_joined()
    expect(page.locator("#room-start")).to_be_visible()


def rooms_on_phone(page: Page) -> None:
    RoomPage(page, "harbour").wait_until_joined()
    page.goto("/rooms/harbour/#rooms")


def refused_signup(page: Page) -> None:
    page.goto("/accounts/signup/")
    page.get_by_label("Username").fill("guest-of-honour")
    page.get_by_label("Password").fill("12345")
    page.locator("main form button").first.click()
    expect(page.locator(".errorlist").first).to_be_visible()


def refused_guest(page: Page) -> None:
    page.goto("/")
    page.get_by_label("Your name").fill("\u200b")
    page.get_by_role("button", name="Join").click()
    expect(page.locator(".errorlist")).to_be_visible()


def main() -> None:
    folder, wanted = Path(sys.argv[1]), sys.argv[2:]
    folder.mkdir(parents=True, exist_ok=True)
    stack = Stack()
    try:
        alice, mina, new = stack.run_python(f"{HARBOUR}print(harbour.fill())").split()
        crew, token = stack.run_python(f"{HARBOUR}print(harbour.crew())").split()
        direct = stack.run_python(f"{HARBOUR}print(harbour.direct())").strip()
        with chromium() as browser:
            typist = context_of(browser, stack, mina)
            typing = RoomPage(typist.new_page(), "harbour")
            typing.wait_until_joined()
            for size in SIZES:
                for scheme in ("light", "dark"):
                    studio = Studio(browser, stack, folder, wanted, size, scheme)
                    studio.picture("landing", "", at("/"))
                    studio.picture("sign-in", "", at("/accounts/login/?next=/rooms/harbour/"))
                    studio.picture("sign-up", "", at("/accounts/signup/"))
                    studio.picture("refused-sign-up", "", refused_signup)
                    studio.picture("password-reset", "", at("/accounts/password/reset/"))
                    studio.picture("refused-guest", "", refused_guest)
                    studio.picture("email", alice, at("/accounts/email/"))
                    studio.picture("password-change", alice, at("/accounts/password/change/"))
                    studio.picture("sign-out", alice, at("/accounts/logout/"))
                    studio.picture("not-found", alice, at("/rooms/~AAAAAAAAAAAAAAAA/"))
                    studio.picture("first-run", new, at("/"))
                    studio.picture("open-room", alice, at("/rooms/"))
                    studio.picture("private-room", alice, private_form)
                    studio.picture("invitation", alice, at(f"/invitations/{token}/"))
                    studio.picture("invited-stranger", "", at(f"/invitations/{token}/"))
                    studio.picture("invitation-ended", alice, at("/invitations/gone/"))
                    studio.picture("people", alice, with_members("harbour"))
                    studio.picture("choosing", alice, with_members("harbour", choosing))
                    studio.picture("banning", alice, with_members("harbour", choosing, banning))
                    studio.picture("inviting", alice, with_members(crew, inviting))
                    studio.picture("banned", alice, with_members(crew, banned_list))
                    studio.picture("conversation", alice, conversation(direct))
                    studio.picture("removed", alice, removed)
                    studio.picture("empty-room", alice, empty)
                    stack.run_python(f"{HARBOUR}harbour.unread()")
                    studio.picture("scrolled", alice, scrolled)
                    stack.run_python(f"{HARBOUR}harbour.unread()")

                    def busy_and_typing(page: Page) -> None:
                        busy(page)
                        typing.composer.fill("")
                        typing.composer.press_sequentially("Hm")
                        expect(page.locator("#typing")).to_contain_text("Mina Okafor is typing")

                    studio.picture("busy", alice, busy_and_typing)
                    studio.picture("replying", alice, replying)
                    studio.picture("editing", alice, editing)
                    studio.picture("deleting", alice, deleting)
                    studio.picture("reconnecting", alice, reconnecting)
                    studio.picture("signed-out", alice, signed_out)
                    if size == "390":
                        studio.picture("rooms", alice, rooms_on_phone)
    finally:
        stack.stop()


if __name__ == "__main__":
    main()
