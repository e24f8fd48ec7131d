"""A transport to the ASGI application in this process, for clients that need no network."""

import asyncio

from asgiref.testing import ApplicationCommunicator

from accounts.models import User
from config.asgi import application  # at import time: it configures logging, which would disturb a running test
from tests.chat_client import ChatClient, Closed
from tests.signed_in import session_of


class AsgiTransport:
    """A WebSocket connection to config.asgi without a network. `await AsgiTransport.open(...)` returns one."""

    def __init__(self, communicator: ApplicationCommunicator) -> None:
        self.communicator = communicator
        self.queue = communicator.output_queue

    @classmethod
    async def open(
        cls,
        *,
        cookie: str = "",
        path: str = "/ws/",
        origin: str | None = "https://localhost",
        host: str = "localhost",
        subprotocols: tuple[str, ...] = ("parley.v1",),
        authorization: str = "",
    ) -> "AsgiTransport":
        """Open a connection. Raises Closed when the application refuses it."""
        headers = [(b"host", host.encode()), (b"x-forwarded-proto", b"https")]  # as nginx passes them on
        if origin is not None:
            headers.append((b"origin", origin.encode()))
        if cookie:
            headers.append((b"cookie", f"sessionid={cookie}".encode()))
        if authorization:
            headers.append((b"authorization", authorization.encode()))
        scope = {
            "type": "websocket",
            "path": path,
            "headers": headers,
            "query_string": b"",
            "subprotocols": list(subprotocols),
        }
        communicator = ApplicationCommunicator(application, scope)
        await communicator.send_input({"type": "websocket.connect"})
        answer = await communicator.receive_output(10)
        if answer["type"] == "websocket.close":
            raise Closed(answer["code"])
        assert answer["type"] == "websocket.accept"
        return cls(communicator)

    async def send(self, text: str) -> None:
        """Send a text frame."""
        await self.communicator.send_input({"type": "websocket.receive", "text": text})

    async def send_bytes(self, data: bytes) -> None:
        """Send a binary frame."""
        await self.communicator.send_input({"type": "websocket.receive", "bytes": data})

    async def receive(self) -> str:
        """Return the next text frame. Raises Closed."""
        message = await self.communicator.output_queue.get()
        if message["type"] == "websocket.close":
            raise Closed(message["code"])
        return str(message["text"])

    async def close(self) -> None:
        """Disconnect, and wait until the application has ended."""
        await self.communicator.send_input({"type": "websocket.disconnect", "code": 1001})
        await asyncio.wait_for(asyncio.shield(self.communicator.future), 10)


async def new_client(user: User | None = None, **options: object) -> ChatClient:
    """Return a client that is signed in as `user`, or not signed in; not open yet."""
    from asgiref.sync import sync_to_async

    cookie = await sync_to_async(session_of)(user) if user else ""
    return ChatClient(await AsgiTransport.open(cookie=cookie, **options), timeout_seconds=10)  # type: ignore[arg-type]
