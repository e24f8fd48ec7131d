"""A guest as a site of a machine: its deployments, and what its visitors notice of them."""

import asyncio
import os
import shutil
import socket
import sys
import time
from collections import Counter, deque
from collections.abc import Iterator
from contextlib import AsyncExitStack, contextmanager, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Self
from unittest import mock

from websockets.exceptions import WebSocketException

from deploy.discovery import complete
from deploy.host_variables import write_variables
from deploy.manifest import read_manifest
from tests.acceptance.conftest import resolving
from tests.chat_client import Closed
from tests.guests.guests import Guest
from tests.guests.local_site import TEST_VARIABLES
from tests.guests.site import GuestSite, GuestSocket, Visitor
from tests.running import REPO
from tests.vm.machine import ROOT_CA, Machine, Played, play

EMAIL = "operator@example.test"
TEXTS_A_SECOND = 5
HANDSHAKES_A_SECOND = 10  # half of what nginx allows one address on average (nginx/snippets/limits.conf)
MOST_SOCKETS = 200  # open at once; nginx allows one address 1,000
WAIT_TIMEOUT_SECONDS = 60


@dataclass
class Project:
    """A guest that `vm` serves at `domain`. `folder` is for files of this test run."""

    vm: Machine
    guest: Guest
    domain: str
    folder: Path
    source: Path
    name: str = field(init=False)
    """The name of the site on the host."""

    def __post_init__(self) -> None:
        self.name = read_manifest(self.source).name

    def command(self, name: str, *options: str) -> Played:
        """Run `parley NAME SOURCE --host USER@ADDRESS OPTIONS...`, as an operator does."""
        own = {name: value for name, value in os.environ.items() if name not in TEST_VARIABLES}
        own["XDG_STATE_HOME"] = str(self.folder / "state")
        command = [sys.executable, "-m", "deploy.cli", name, self.source, "--host", self.vm.address, *options]
        with mock.patch.dict(os.environ, own, clear=True):
            return play(command, REPO, self.vm.connection())

    def deploy_by_command(self, *options: str) -> Played:
        """Run `parley deploy` with the machine's certificate authority."""
        known = [f"{key}={value}" for key, value in self.vm.variables.items() if key.startswith("site_acme")]
        words = [word for variable in known for word in ("-e", variable)]
        return self.command("deploy", "--domain", self.domain, "--email", EMAIL, *words, *options)

    def variables(self, version: str, source: Path | None = None) -> tuple[str, ...]:
        """Return the options with which a playbook deploys this source as a release of that name."""
        file = self.folder / f"{version}.json"
        manifest = replace(complete(read_manifest(source or self.source)), domain=self.domain)
        write_variables(manifest, file, email=EMAIL, version=version)
        return ("-e", f"@{file}")

    def deploy(self, version: str, source: Path | None = None, playbook: str = "site.yml") -> Played:
        """Deploy the source as a release of that name, by one of the playbooks."""
        return self.vm.playbook(playbook, *self.variables(version, source))

    @property
    def release(self) -> str:
        """The version that serves."""
        return self.vm.run(f"basename $(readlink /opt/{self.name}/current)").strip()

    @contextmanager
    def site(self) -> Iterator[GuestSite]:
        """The site of the project, at the machine's own address."""
        address = self.vm.variables["ansible_host"]
        with mock.patch.object(socket, "getaddrinfo", resolving(self.domain, address)):
            yield GuestSite(
                url=f"https://{self.domain}",
                traits=frozenset({"nginx", "hsts", "named"}),
                ca=Path(ROOT_CA) if ROOT_CA else None,
                resolve=(self.domain, address),
            )


class Conversation:
    """alice sends bob a numbered text a few times a second while the `async with` lasts; no text may be missing."""

    def __init__(self, site: GuestSite, guest: Guest) -> None:
        self.site, self.guest = site, guest
        self.sent = 0
        self.received: list[int] = []
        self.codes: list[int] = []  # of sockets that the server closed

    async def __aenter__(self) -> Self:
        self.stack = AsyncExitStack()
        self.alice, self.bob = [
            await self.stack.enter_async_context(Visitor(self.site, f"{name}-{time.monotonic_ns()}"))
            for name in ("alice", "bob")
        ]
        for visitor in (self.alice, self.bob):
            await self.guest.enter(visitor)
        path = (await self.guest.meet(self.alice))[0]
        self.hers, self.his = await self.alice.connect(path), await self.bob.connect(path)
        self.readers = [asyncio.ensure_future(self._read(socket)) for socket in (self.hers, self.his)]
        self.writer = asyncio.ensure_future(self._write())
        return self

    async def __aexit__(self, *error: object) -> None:
        self.writer.cancel()
        written = await asyncio.gather(self.writer, return_exceptions=True)
        try:
            if error[1] is None:
                assert isinstance(written[0], asyncio.CancelledError), written[0]
                await self.texts(self.sent - len(self.received))
                assert self.received == list(range(self.sent))
                assert self.codes == []
        finally:
            for reader in self.readers:
                reader.cancel()
            await asyncio.gather(*self.readers, return_exceptions=True)
            await self.stack.aclose()

    async def _read(self, socket: GuestSocket) -> None:
        try:
            while True:
                with suppress(TimeoutError):
                    number = int(self.guest.decode(await socket.receive()))
                    if socket is self.his:
                        self.received.append(number)
        except Closed as closed:
            self.codes.append(closed.code)

    async def _write(self) -> None:
        while True:
            number, self.sent = self.sent, self.sent + 1
            # Not interrupted: what is sent is counted.
            await asyncio.shield(self.guest.send(self.alice, self.hers, str(number), to=self.bob))
            await asyncio.sleep(1 / TEXTS_A_SECOND)

    async def texts(self, count: int) -> None:
        """Wait until bob has received that many more texts."""
        wanted = len(self.received) + count
        async with asyncio.timeout(WAIT_TIMEOUT_SECONDS):
            while len(self.received) < wanted:
                await asyncio.sleep(0.05)


class Handshakes:
    """A visitor opens a socket again and again while the `async with` lasts, and keeps the newest MOST_SOCKETS open."""

    def __init__(self, site: GuestSite, guest: Guest) -> None:
        self.site, self.guest = site, guest
        self.opened = 0
        self.failures: Counter[str] = Counter()
        self.codes: Counter[int] = Counter()  # of sockets that the server closed
        self.slowest = 0.0  # seconds that a handshake took

    async def __aenter__(self) -> Self:
        self.visitor = Visitor(self.site, f"carol-{time.monotonic_ns()}")
        await self.guest.enter(self.visitor)
        self.path = (await self.guest.meet(self.visitor))[0]
        self.watching: set[asyncio.Task[None]] = set()
        self.sockets: deque[GuestSocket] = deque()
        self.opening = asyncio.ensure_future(self._open())
        return self

    async def __aexit__(self, *error: object) -> None:
        for task in (self.opening, *self.watching):
            task.cancel()
        await asyncio.gather(self.opening, *self.watching, return_exceptions=True)
        await self.visitor.__aexit__()

    async def _open(self) -> None:
        """Start a handshake at its time, whether or not the ones before have ended."""
        began, number = time.monotonic(), 0
        while True:
            self.watching.add(asyncio.ensure_future(self._open_one()))
            number += 1
            await asyncio.sleep(max(0.0, began + number / HANDSHAKES_A_SECOND - time.monotonic()))

    async def _open_one(self) -> None:
        began = time.monotonic()
        try:
            opened = await self.visitor.connect(self.path)
        except (OSError, EOFError, TimeoutError, WebSocketException) as error:
            self.failures[repr(error)] += 1
            return
        self.slowest = max(self.slowest, time.monotonic() - began)
        self.opened += 1
        self.sockets.append(opened)
        oldest = self.sockets.popleft() if len(self.sockets) > MOST_SOCKETS else None
        if oldest:
            await oldest.close()
        code = await opened.wait_closed(timeout_seconds=3600)
        if opened in self.sockets:  # the server closed it
            self.sockets.remove(opened)
            self.codes[code] += 1

    async def until_opened(self, count: int) -> None:
        """Wait until that many more sockets have been opened."""
        wanted = self.opened + count
        async with asyncio.timeout(WAIT_TIMEOUT_SECONDS):
            while self.opened < wanted:
                await asyncio.sleep(0.05)


def copy_project(source: Path, folder: Path) -> Path:
    """Copy a project, so that a test can change it."""
    return shutil.copytree(source, folder, ignore=shutil.ignore_patterns("__pycache__", "*.sqlite3"))


def break_release(folder: Path, module: str) -> Path:
    """Let a copied project fail at the import of one of its modules."""
    file = folder / module
    file.write_text(file.read_text() + "\nraise RuntimeError('this release is broken')\n")
    return folder
