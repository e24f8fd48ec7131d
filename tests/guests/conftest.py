"""The guests' sites. Each is started once, and all tests of a guest run before the next guest starts."""

import os
import secrets
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AsyncExitStack

import pytest

from tests.acceptance.conftest import resolving
from tests.guests.guests import GUESTS, Guest
from tests.guests.local_site import LocalSite, hash_folder
from tests.guests.site import CommandServers, GuestSite, Visitor

Enter = Callable[[str], Awaitable[Visitor]]


def pytest_configure(config: pytest.Config) -> None:
    """Register the mark of tests that only some guests can run."""
    config.addinivalue_line("markers", "guests(*names): run this test with these guests only")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run a test with each guest, or with those that its mark `guests` names."""
    if "guest" in metafunc.fixturenames:
        mark = metafunc.definition.get_closest_marker("guests")
        metafunc.parametrize("guest", mark.args if mark else list(GUESTS), indirect=True, scope="session")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Deselect the tests of other guests than PARLEY_GUEST, where that is set."""
    only = os.environ.get("PARLEY_GUEST")
    if not only:
        return
    if only not in GUESTS:
        raise pytest.UsageError(f"PARLEY_GUEST is {only!r}; it may be {', '.join(GUESTS)}")
    others = [item for item in items if hasattr(item, "callspec") and item.callspec.params.get("guest", only) != only]
    config.hook.pytest_deselected(items=others)
    items[:] = [item for item in items if item not in others]


@pytest.fixture(scope="session")
def guest(request: pytest.FixtureRequest) -> Guest:
    return GUESTS[request.param]


@pytest.fixture(scope="session")
def running_site(guest: Guest) -> Iterator[GuestSite]:
    """The site at PARLEY_BASE_URL; without it, one that this test run starts."""
    if os.environ.get("PARLEY_BASE_URL"):
        if not os.environ.get("PARLEY_GUEST"):
            raise pytest.UsageError("PARLEY_GUEST must name the guest that PARLEY_BASE_URL serves")
        found = GuestSite.from_environment()
        yield GuestSite(**vars(found) | {"servers": CommandServers.from_environment()})
        return
    before = hash_folder(guest.folder)
    local = LocalSite(guest.folder)
    try:
        local.start()
        yield GuestSite(
            url=local.url,
            http_url=local.http_url,
            traits=frozenset(),
            ca=local.certificate,
            servers=local,
            sockets=local.sockets,
            folder=guest.folder,
            folder_hash=before,
        )
    finally:
        exit_code = local.remove()
    assert exit_code == 0, "the exit code after Ctrl-C"
    assert hash_folder(guest.folder) == before, f"the run has changed {guest.folder}"


@pytest.fixture
def site(running_site: GuestSite, monkeypatch: pytest.MonkeyPatch) -> GuestSite:
    if running_site.resolve:
        monkeypatch.setattr(socket, "getaddrinfo", resolving(*running_site.resolve))
    return running_site


@pytest.fixture
async def enter(site: GuestSite, guest: Guest) -> AsyncIterator[Enter]:
    """`alice = await enter("alice")` opens a browser in which alice can use the guest's sockets."""
    async with AsyncExitStack() as leaving:

        async def open_browser(name: str) -> Visitor:
            visitor = await leaving.enter_async_context(Visitor(site, f"{name}-{secrets.token_hex(4)}"))
            await guest.enter(visitor)
            return visitor

        yield open_browser


@pytest.fixture
def text() -> str:
    return f"text{secrets.token_hex(6)}"
