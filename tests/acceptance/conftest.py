"""The site under test, its visitors, and a room for them."""

import os
import secrets
import socket
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AsyncExitStack
from typing import Any

import pytest

from tests.acceptance.one_process import OneProcess
from tests.acceptance.site import Person, SignIn, Site
from tests.running import Stack


@pytest.fixture(params=["external"] if os.environ.get("PARLEY_BASE_URL") else ["stack", "one_process"])
def site(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Site:
    """The site that PARLEY_BASE_URL names; without it, the two that this test run starts itself."""
    running = None if request.param == "external" else request.getfixturevalue(request.param)
    match running:
        case Stack():
            found = Site.of_stack(running)
        case OneProcess():
            found = Site(url=running.url, traits=frozenset({"hsts", "named"}), ca=running.certificate)
        case _:
            found = Site.from_environment()
    if found.resolve:
        monkeypatch.setattr(socket, "getaddrinfo", resolving(*found.resolve))
    return found


def resolving(name: str, address: str) -> Callable[..., Any]:
    """Return a getaddrinfo that resolves `name` to `address`, as `curl --resolve` does."""
    ask = socket.getaddrinfo

    def getaddrinfo(host: Any, *arguments: Any, **named: Any) -> Any:
        return ask(address if host in (name, name.encode()) else host, *arguments, **named)

    return getaddrinfo


@pytest.fixture
async def people(site: Site) -> AsyncIterator[SignIn]:
    """`alice = await people()` signs in a new guest."""
    async with AsyncExitStack() as leaving:

        async def sign_in() -> Person:
            person = await leaving.enter_async_context(Person(site))
            assert (await person.as_guest()).status_code == 302
            return person

        yield sign_in


@pytest.fixture
def room() -> str:
    return f"t-{secrets.token_hex(6)}"


@pytest.fixture(scope="session")
def one_process() -> Iterator[OneProcess]:
    """The single process for platforms that run one command and open one port."""
    running = OneProcess()
    yield running
    running.stop()
