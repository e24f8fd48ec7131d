"""A WebSocket server in this process, at a free port of 127.0.0.1: the base of the faulty servers."""

import abc
from typing import Self

from websockets.asyncio.server import Server, ServerConnection, serve
from websockets.http11 import Request, Response
from websockets.typing import Subprotocol


class LocalServer(abc.ABC):
    """Serves while its block runs: `async with`."""

    subprotocol: str
    server: Server

    async def __aenter__(self) -> Self:
        self.server = await serve(
            self.handle,
            "127.0.0.1",
            0,
            process_request=self.check_request,
            subprotocols=[Subprotocol(self.subprotocol)],
            compression=None,
        )
        return self

    async def __aexit__(self, *error: object) -> None:
        self.server.close()
        await self.server.wait_closed()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{next(iter(self.server.sockets)).getsockname()[1]}"

    def check_request(self, connection: ServerConnection, request: Request) -> Response | None:
        """Return the answer with which a handshake is refused, or None to accept it."""
        return None

    @abc.abstractmethod
    async def handle(self, connection: ServerConnection) -> None:
        """Serve one connection until it ends."""
