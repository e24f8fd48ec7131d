"""The site of a guest under test: its addresses, how its visitors speak to it, and how it is restarted."""

import asyncio
import os
import re
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Protocol, Self
from urllib.parse import urlsplit, urlunsplit

import httpx
import pytest

from tests.acceptance.site import Site
from tests.running import Wss

ANSWER_TIMEOUT_SECONDS = 20
TOKEN = re.compile(r'name="csrfmiddlewaretoken" value="([^"]+)"')


class Servers(Protocol):
    """The processes of a site, together."""

    def stop(self) -> None:
        """Send the site what an operator sends, and return when it has ended."""

    def start(self) -> None:
        """Start the site again, with its data, and return when it is ready."""


@dataclass(frozen=True)
class GuestSite(Site):
    """A site that serves a guest."""

    servers: Servers | None = None
    sockets: Mapping[str, str] = field(default_factory=dict)
    """The unix sockets of its servers by name, where this machine serves the site."""
    folder: Path | None = None
    """The guest's folder, where this machine serves the site from it."""
    folder_hash: str = ""
    """What hash_folder() returned for that folder before the site was started."""

    async def connect(self, path: str, *, cookies: httpx.Cookies | None = None, **options: Any) -> "GuestSocket":
        """Open a WebSocket as a page of the site does; `port` is another one than the page's."""
        options = {"subprotocols": None, **options}
        site = self
        if port := options.pop("port", None):
            netloc = f"{urlsplit(self.url).hostname}:{port}"
            site = replace(self, url=urlunsplit(urlsplit(self.url)._replace(netloc=netloc)))
            options = {"origin": self.url, **options}
        return GuestSocket((await site.wss(path, cookies=cookies, **options)).connection)


class GuestSocket(Wss):
    """A WebSocket whose frames are awaited for a limited time."""

    async def receive(self) -> str:
        """Return the next text frame. Raises Closed, and TimeoutError after ANSWER_TIMEOUT_SECONDS."""
        async with asyncio.timeout(ANSWER_TIMEOUT_SECONDS):
            return await super().receive()

    async def wait_closed(self, *, timeout_seconds: float = ANSWER_TIMEOUT_SECONDS) -> int:
        """Return the close code that the server sent; 1006 when the connection ended without one."""
        async with asyncio.timeout(timeout_seconds):
            await self.connection.wait_closed()
        frame = self.connection.protocol.close_rcvd
        return frame.code if frame else 1006


class Visitor:
    """A visitor with a browser's cookies. `async with Visitor(site, "alice") as alice`."""

    def __init__(self, site: GuestSite, name: str) -> None:
        self.site, self.name = site, name
        self.browser = site.browser()
        self.browser.timeout = httpx.Timeout(60)
        self.sockets: list[GuestSocket] = []

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *error: object) -> None:
        for socket in self.sockets:
            await socket.close()
        await self.browser.aclose()

    async def get(self, path: str) -> httpx.Response:
        """Request a page. Redirects are not followed."""
        return await self.browser.get(path)

    async def submit(self, page: str, path: str = "", *, files: Any = None, **fields: str) -> httpx.Response:
        """Submit the form of `page` to `path`, by default the page itself, with the CSRF token of the page."""
        shown = await self.get(page)
        token = TOKEN.search(shown.text)
        assert token, f"{page} answered {shown.status_code} without a form:\n{shown.text[:2000]}"
        data = {"csrfmiddlewaretoken": token.group(1), **fields}
        return await self.browser.post(path or page, data=data, files=files)

    async def connect(self, path: str, **options: Any) -> GuestSocket:
        """Open a WebSocket with this visitor's cookies."""
        socket = await self.site.connect(path, cookies=self.browser.cookies, **options)
        self.sockets.append(socket)
        return socket


@dataclass(frozen=True)
class CommandServers:
    """Starts and stops a site by two shell commands: containers, or a host."""

    stop_command: str
    start_command: str

    @classmethod
    def from_environment(cls, env: Mapping[str, str] = os.environ) -> "CommandServers":
        """Read PARLEY_GUEST_STOP and PARLEY_GUEST_START (README.md here)."""
        missing = [name for name in ("PARLEY_GUEST_STOP", "PARLEY_GUEST_START") if not env.get(name)]
        if missing:
            raise pytest.UsageError(f"{' and '.join(missing)} must name the command for the site at PARLEY_BASE_URL")
        return cls(env["PARLEY_GUEST_STOP"], env["PARLEY_GUEST_START"])

    def stop(self) -> None:
        """Run PARLEY_GUEST_STOP."""
        subprocess.run(self.stop_command, shell=True, check=True)

    def start(self) -> None:
        """Run PARLEY_GUEST_START, which returns when the site is ready."""
        subprocess.run(self.start_command, shell=True, check=True)
