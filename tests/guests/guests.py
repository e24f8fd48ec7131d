"""The guests: what a visitor finds in each of them, and how two visitors exchange a message there."""

import json
import secrets
from pathlib import Path
from typing import ClassVar

import httpx
from playwright.sync_api import Locator, Page, expect

from tests.guests.site import GuestSocket, Visitor

FOLDER = Path(__file__).parent
PASSWORD = "correct horse battery staple"


class Guest:
    """A project in a folder here, and its use. A text that visitors exchange is one word without markup."""

    name: ClassVar[str]
    """The folder."""
    page: ClassVar[str] = "/"
    """A page that everyone may see."""
    static_file: ClassVar[str]
    static_type: ClassVar[str]
    session: ClassVar[bool] = False
    """Whether submit() begins a session."""
    stores: ClassVar[bool] = True
    """Whether what visitors write is stored."""
    ports: ClassVar[tuple[int, ...]] = ()
    """Other ports that its pages call."""

    @property
    def folder(self) -> Path:
        """The folder of the project."""
        return FOLDER / self.name

    async def enter(self, visitor: Visitor) -> None:
        """Do what a visitor has to do before the sockets are open to them."""

    async def meet(self, visitor: Visitor) -> tuple[str, ...]:
        """Return the paths of sockets that receive the same messages, after making what they need."""
        raise NotImplementedError

    async def send(self, sender: Visitor, socket: GuestSocket, text: str, *, to: Visitor) -> None:
        """Send a text from one visitor to another."""
        await socket.send(self.encode(text))

    def encode(self, text: str) -> str:
        """Return the frame that sends a text."""
        raise NotImplementedError

    def decode(self, frame: str) -> str:
        """Return the text of a frame from the server."""
        raise NotImplementedError

    async def submit(self, visitor: Visitor) -> httpx.Response:
        """Submit a form that is protected against CSRF."""
        raise NotImplementedError

    def was_accepted(self, response: httpx.Response) -> bool:
        """Whether the form was processed."""
        return response.status_code == 302

    async def read_page(self, visitor: Visitor, text: str) -> str:
        """Return the page that shows what was stored."""
        return (await visitor.get(self.page)).text

    def open_page(self, page: Page, name: str) -> None:
        """Open, in a browser, the page on which visitors meet."""
        raise NotImplementedError

    def write(self, page: Page, text: str, *, to: str) -> None:
        """Write a text to the others on the open page."""
        raise NotImplementedError

    def shown(self, page: Page, text: str) -> Locator:
        """Locate a text that the page received through its socket."""
        raise NotImplementedError


class Tutorial(Guest):
    name = "tutorial"
    page = "/chat/"
    static_file, static_type = "/static/admin/css/base.css", "text/css"
    stores = False

    async def meet(self, visitor: Visitor) -> tuple[str, ...]:
        return ("/ws/chat/harbour/",)

    def encode(self, text: str) -> str:
        return json.dumps({"message": text})

    def decode(self, frame: str) -> str:
        return str(json.loads(frame)["message"])

    async def submit(self, visitor: Visitor) -> httpx.Response:
        return await visitor.submit("/admin/login/", username="nobody", password="wrong")

    def was_accepted(self, response: httpx.Response) -> bool:
        return response.status_code == 200 and "errornote" in response.text  # the form was read, the password is wrong

    def open_page(self, page: Page, name: str) -> None:
        page.goto("/chat/")
        page.locator("#room-name-input").fill("harbour")
        page.locator("#room-name-submit").click()
        page.wait_for_url("**/chat/harbour/")
        page.wait_for_function("chatSocket.readyState === WebSocket.OPEN")

    def write(self, page: Page, text: str, *, to: str) -> None:
        page.locator("#chat-message-input").fill(text)
        page.locator("#chat-message-submit").click()

    def shown(self, page: Page, text: str) -> Locator:
        # The text of a textarea is its value, which no selector sees.
        page.wait_for_function("text => document.querySelector('#chat-log').value.includes(text)", arg=text)
        return page.locator("#chat-log")


class Notifications(Guest):
    name = "notifications"
    page = "/accounts/login/"
    static_file, static_type = "/static/notices/notices.js", "text/javascript"
    session = True

    async def enter(self, visitor: Visitor) -> None:
        response = await visitor.submit(
            "/accounts/signup/", username=visitor.name, password1=PASSWORD, password2=PASSWORD
        )
        assert response.status_code == 302, response.text

    async def meet(self, visitor: Visitor) -> tuple[str, ...]:
        return ("/ws/notices/",)

    async def send(self, sender: Visitor, socket: GuestSocket, text: str, *, to: Visitor) -> None:
        response = await sender.submit("/", "/send/", to=to.name, text=text)
        assert response.status_code == 302, response.text

    def encode(self, text: str) -> str:
        return json.dumps({"command": "count"})

    def decode(self, frame: str) -> str:
        return str(json.loads(frame)["notice"]).partition(": ")[2]

    async def submit(self, visitor: Visitor) -> httpx.Response:
        visitor.name += secrets.token_hex(4)
        return await visitor.submit("/accounts/signup/", username=visitor.name, password1=PASSWORD, password2=PASSWORD)

    async def read_page(self, visitor: Visitor, text: str) -> str:
        return (await visitor.get("/")).text

    def open_page(self, page: Page, name: str) -> None:
        page.goto("/accounts/signup/")
        page.get_by_label("Username").fill(name)
        page.get_by_label("Password:", exact=True).fill(PASSWORD)
        page.get_by_label("Password confirmation").fill(PASSWORD)
        page.get_by_role("button", name="Sign up").click()
        expect(page.locator("body.connected")).to_be_visible()

    def write(self, page: Page, text: str, *, to: str) -> None:
        page.reload()  # the list of users
        page.locator("select[name=to]").select_option(to)
        page.locator("input[name=text]").fill(text)
        page.get_by_role("button", name="Notify").click()

    def shown(self, page: Page, text: str) -> Locator:
        return page.locator("#notices li", has_text=text)


class Channels2(Guest):
    name = "channels2"
    static_file, static_type = "/static/talks/talk.js", "text/javascript"

    async def meet(self, visitor: Visitor) -> tuple[str, ...]:
        response = await visitor.submit("/", title="Sockets in 2019")
        assert response.headers["location"] == "/talks/sockets-in-2019/", response.text
        return ("/ws/talks/sockets-in-2019/",)

    def encode(self, text: str) -> str:
        return json.dumps({"question": text})

    def decode(self, frame: str) -> str:
        return str(json.loads(frame)["question"])

    async def submit(self, visitor: Visitor) -> httpx.Response:
        return await visitor.submit("/", title="Forms")

    async def read_page(self, visitor: Visitor, text: str) -> str:
        return (await visitor.get("/talks/sockets-in-2019/")).text

    def open_page(self, page: Page, name: str) -> None:
        page.goto("/")
        page.locator("input[name=title]").fill("Browsers")
        page.get_by_role("button", name="Add talk").click()
        page.wait_for_url("**/talks/browsers/")
        page.wait_for_function("socket.readyState === WebSocket.OPEN")

    def write(self, page: Page, text: str, *, to: str) -> None:
        page.locator("#question").fill(text)
        page.get_by_role("button", name="Ask").click()

    def shown(self, page: Page, text: str) -> Locator:
        return page.locator("#questions li", has_text=text)


class EarlyModels(Guest):
    name = "early_models"
    static_file, static_type = "/static/shopping/style.css", "text/css"

    async def meet(self, visitor: Visitor) -> tuple[str, ...]:
        self.list = (await visitor.submit("/", name="Harbour")).headers["location"]
        return (f"/ws{self.list.rstrip('/')}",)

    def encode(self, text: str) -> str:
        return json.dumps({"item": text})

    def decode(self, frame: str) -> str:
        return str(json.loads(frame)["item"])

    async def submit(self, visitor: Visitor) -> httpx.Response:
        return await visitor.submit("/", name="Forms")

    async def read_page(self, visitor: Visitor, text: str) -> str:
        return (await visitor.get(self.list)).text

    def open_page(self, page: Page, name: str) -> None:
        page.goto("/")
        page.locator("input[name=name]").fill("Browsers")
        page.get_by_role("button", name="New list").click()
        page.wait_for_url("**/lists/*/")
        page.wait_for_function("socket.readyState === WebSocket.OPEN")

    def write(self, page: Page, text: str, *, to: str) -> None:
        page.locator("#item").fill(text)
        page.get_by_role("button", name="Add").click()

    def shown(self, page: Page, text: str) -> Locator:
        return page.locator("#items li", has_text=text)


class Gallery(Guest):
    name = "gallery"
    static_file, static_type = "/static/gallery.js", "text/javascript"

    async def meet(self, visitor: Visitor) -> tuple[str, ...]:
        return ("/live/gallery/",)

    def encode(self, text: str) -> str:
        return json.dumps({"show": text})

    def decode(self, frame: str) -> str:
        event = json.loads(frame)
        return str(event.get("shown") or event["added"])

    async def send(self, sender: Visitor, socket: GuestSocket, text: str, *, to: Visitor) -> None:
        assert (await self.upload(sender, text)).status_code == 302

    async def submit(self, visitor: Visitor) -> httpx.Response:
        return await self.upload(visitor, "Form")

    async def upload(self, visitor: Visitor, title: str, original: bytes = b"") -> httpx.Response:
        """Upload a picture of one pixel, and its original as a second file."""
        files = {"image": ("pixel.png", PIXEL, "image/png")}
        if original:
            files["original"] = ("original.bin", original, "application/octet-stream")
        return await visitor.submit("/", files=files, title=title)

    def open_page(self, page: Page, name: str) -> None:
        page.goto("/")
        expect(page.locator("body.live")).to_be_visible()

    def write(self, page: Page, text: str, *, to: str) -> None:
        page.locator("input[name=title]").fill(text)
        page.locator("input[name=image]").set_input_files(
            {"name": "pixel.png", "mimeType": "image/png", "buffer": PIXEL}
        )
        page.get_by_role("button", name="Upload").click()

    def shown(self, page: Page, text: str) -> Locator:
        figure = page.locator("figure", has_text=text)
        page.wait_for_function(
            "text => [...document.querySelectorAll('figure')]"
            ".some(each => each.textContent.includes(text) && each.querySelector('img').naturalWidth === 1)",
            arg=text,
        )
        return figure


class BarePath(Guest):
    name = "bare_path"
    static_file, static_type = "/static/scores/board.css", "text/css"
    session = True

    async def enter(self, visitor: Visitor) -> None:
        assert (await visitor.submit("/", "/name/", name=visitor.name)).status_code == 302

    async def meet(self, visitor: Visitor) -> tuple[str, ...]:
        return ("/", "/ws")

    def encode(self, text: str) -> str:
        return text

    def decode(self, frame: str) -> str:
        return frame.partition(" (")[0]

    async def submit(self, visitor: Visitor) -> httpx.Response:
        return await visitor.submit("/", "/name/", name="Forms")

    def open_page(self, page: Page, name: str) -> None:
        page.goto("/")
        page.locator("input[name=name]").fill(name)
        page.get_by_role("button", name="Save").click()
        page.wait_for_function("socket.readyState === WebSocket.OPEN")

    def write(self, page: Page, text: str, *, to: str) -> None:
        page.locator("#score").fill(text)
        page.get_by_role("button", name="Report").click()

    def shown(self, page: Page, text: str) -> Locator:
        return page.locator("#scores li", has_text=f"{text} (alice")  # the session reached the socket


class Hardcoded(Guest):
    name = "hardcoded"
    static_file, static_type = "/static/board.js", "text/javascript"
    session = True
    ports = (8001,)

    async def enter(self, visitor: Visitor) -> None:
        assert (await visitor.submit("/", "/sign/", author=visitor.name)).status_code == 302

    async def meet(self, visitor: Visitor) -> tuple[str, ...]:
        return ("/ws/board/",)

    def encode(self, text: str) -> str:
        return json.dumps({"text": f"*{text}*"})

    def decode(self, frame: str) -> str:
        return str(json.loads(frame)["html"]).removeprefix("<p><em>").removesuffix("</em></p>")

    async def submit(self, visitor: Visitor) -> httpx.Response:
        return await visitor.submit("/", "/sign/", author="Forms")

    def open_page(self, page: Page, name: str) -> None:
        page.goto("/")
        page.locator("input[name=author]").fill(name)
        page.get_by_role("button", name="Sign").click()
        page.wait_for_function("socket.readyState === WebSocket.OPEN")

    def write(self, page: Page, text: str, *, to: str) -> None:
        page.locator("#text").fill(f"*{text}*")
        page.get_by_role("button", name="Post").click()

    def shown(self, page: Page, text: str) -> Locator:
        entries = page.locator("#entries .entry", has_text="alice")  # the session reached the socket
        return entries.locator("em", has_text=text)


# A red picture of 1 x 1 pixel.
PIXEL = bytes.fromhex(
    "89504e470d0a1a0a0000000d4948445200000001000000010802000000907753de"
    "0000000c49444154789c63382127070002b6010534a675aa0000000049454e44ae426082"
)
GUESTS = {
    guest.name: guest
    for guest in (Tutorial(), Notifications(), Channels2(), EarlyModels(), Gallery(), BarePath(), Hardcoded())
}
