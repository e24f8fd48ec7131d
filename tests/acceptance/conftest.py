"""The site under test, people who come to it, and a room of their own."""

import os
import secrets
import socket
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AsyncExitStack
from typing import Any

import pytest

from tests.acceptance.one_process import OneProcess
from tests.acceptance.site import Come, Person, Site
from tests.running import Stack


@pytest.fixture(params=["elsewhere"] if os.environ.get("PARLEY_BASE_URL") else ["stack", "one_process"])
def site(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Site:
    """The one that PARLEY_BASE_URL names; without it, those that this test run starts by itself."""
    running = None if request.param == "elsewhere" else request.getfixturevalue(request.param)
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
    """getaddrinfo with a name that no DNS has to know, as `curl --resolve`."""
    ask = socket.getaddrinfo

    def getaddrinfo(host: Any, *arguments: Any, **named: Any) -> Any:
        return ask(address if host in (name, name.encode()) else host, *arguments, **named)

    return getaddrinfo


@pytest.fixture
async def people(site: Site) -> AsyncIterator[Come]:
    """`alice = await people()`: a guest, whom nobody has seen before."""
    async with AsyncExitStack() as leaving:

        async def come() -> Person:
            person = await leaving.enter_async_context(Person(site))
            assert (await person.as_guest()).status_code == 302
            return person

        yield come


@pytest.fixture
def room() -> str:
    return f"t-{secrets.token_hex(6)}"


@pytest.fixture(scope="session")
def one_process() -> Iterator[OneProcess]:
    """The form for platforms that allow one command and one port."""
    running = OneProcess()
    yield running
    running.stop()
