"""The site under test: its addresses, and the traits that are declared of it."""

import os
import secrets
import ssl
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self
from urllib.parse import urlsplit

import httpx
import pytest
from websockets.asyncio.client import connect

from tests.chat_client import ChatClient
from tests.running import Stack, Wss

# What differs between installations. A test asserts that a site has a declared trait, and that it does not have an
# undeclared one; so no test is skipped.
TRAITS = {
    "nginx": "Parley's nginx is in front and gives every request an id",
    "hsts": "browsers must use https for good (Strict-Transport-Security)",
    "named": "it answers to its own host names only",
}
PASSWORD = "correct horse battery staple"


@dataclass(frozen=True)
class Site:
    """A site, its traits, and how to reach it."""

    url: str  # https://host[:port]
    traits: frozenset[str]
    http_url: str | None = None  # its plain http port; None where the platform serves it
    ca: Path | None = None  # of a private authority, or the certificate itself
    resolve: tuple[str, str] | None = None  # a name, and the address to use for it

    @classmethod
    def from_environment(cls, env: Mapping[str, str] = os.environ) -> "Site":
        """The site that PARLEY_BASE_URL and its companions name (README.md here)."""
        url = urlsplit(env["PARLEY_BASE_URL"])
        if url.scheme != "https" or not url.hostname or url.path.strip("/"):
            raise pytest.UsageError("PARLEY_BASE_URL must have the form https://host or https://host:port")
        if url.port and "PARLEY_HTTP_URL" not in env:
            raise pytest.UsageError("PARLEY_HTTP_URL must name the plain port, such as http://host:8080, or be empty")
        traits = frozenset(env["PARLEY_TRAITS"].split(",") if "PARLEY_TRAITS" in env else TRAITS) - {""}
        if unknown := traits - TRAITS.keys():
            raise pytest.UsageError(f"PARLEY_TRAITS may hold {', '.join(TRAITS)}, not {', '.join(unknown)}")
        name, _, address = env.get("PARLEY_RESOLVE", "").partition("=")
        return cls(
            url=f"https://{url.netloc}",
            traits=traits,
            http_url=env.get("PARLEY_HTTP_URL", f"http://{url.hostname}").rstrip("/") or None,
            ca=Path(env["PARLEY_CA"]) if env.get("PARLEY_CA") else None,
            resolve=(name, address) if address else None,
        )

    @classmethod
    def of_stack(cls, stack: Stack) -> "Site":
        """Return the site of a local stack, which answers to any name and does not require https of browsers."""
        ca = stack.folder / "var/tls/fullchain.pem"
        return cls(url=stack.url, http_url=stack.http_url, traits=frozenset({"nginx"}), ca=ca)

    @property
    def host(self) -> str:
        """The host name of the URL."""
        return urlsplit(self.url).hostname or ""

    @property
    def address(self) -> tuple[str, int]:
        """The address and port to connect to."""
        name, there = self.resolve or (self.host, self.host)
        return (there if name == self.host else self.host), urlsplit(self.url).port or 443

    @property
    def trust(self) -> ssl.SSLContext:
        """A TLS context that trusts the site's certificate."""
        context = ssl.create_default_context(cafile=self.ca)
        if self.ca:
            context.verify_flags &= ~ssl.VERIFY_X509_STRICT  # a private authority may not follow every rule
        return context

    def browser(self, **options: Any) -> httpx.AsyncClient:
        """Return an HTTP client with its own cookies."""
        headers = {"Origin": self.url, "Referer": f"{self.url}/"}
        return httpx.AsyncClient(base_url=self.url, headers=headers, verify=self.trust, timeout=30, **options)

    async def get(self, path: str, **headers: str) -> httpx.Response:
        """Return the answer to a request without cookies; redirects are not followed."""
        async with self.browser() as browser:
            return await browser.get(path, headers=headers)

    async def wss(self, path: str = "/ws/", *, cookies: httpx.Cookies | None = None, **options: Any) -> Wss:
        """Open a WebSocket as a page of the site does. Raises the errors of websockets."""
        sent = "; ".join(f"{name}={value}" for name, value in (cookies or {}).items())
        options = {
            "subprotocols": ["parley.v1"],
            "origin": self.url,
            "additional_headers": {"Cookie": sent} if sent else {},
            "compression": None,
            "proxy": None,
            "open_timeout": 30,
            **options,
        }
        return Wss(await connect(self.url.replace("https", "wss", 1) + path, ssl=self.trust, **options))


class Person:
    """A visitor with a browser. `async with Person(site) as alice` signs alice out at the end."""

    def __init__(self, site: Site) -> None:
        self.site = site
        self.name = f"t-{secrets.token_hex(6)}"
        self.browser = site.browser()

    async def __aenter__(self) -> Self:
        await self.browser.get("/")
        return self

    async def __aexit__(self, *error: object) -> None:
        await self.submit("/accounts/logout/")
        await self.browser.aclose()

    async def submit(self, path: str, **fields: str) -> httpx.Response:
        """Submit a form of the site with the CSRF token that its page has set."""
        token = self.browser.cookies.get("csrftoken", "")
        return await self.browser.post(path, data={"csrfmiddlewaretoken": token, **fields})

    async def as_guest(self) -> httpx.Response:
        """Sign in as a guest."""
        return await self.submit("/guest/", name=self.name)

    async def with_account(self) -> httpx.Response:
        """Create an account and sign in."""
        return await self.submit("/accounts/signup/", username=self.name, password1=PASSWORD)

    async def get_room(self, room: str) -> httpx.Response:
        """Request the page of a room."""
        return await self.browser.get(f"/rooms/{room}/")

    async def connect(self) -> ChatClient:
        """Return a client of this visitor, over wss. It is not open yet."""
        return ChatClient(await self.site.wss(cookies=self.browser.cookies))


SignIn = Callable[[], Awaitable[Person]]
