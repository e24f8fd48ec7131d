"""A project beside the chat on one host: neither notices what happens to the other, and its removal leaves nothing."""

import asyncio
import json
import re
import shutil
import socket
from collections.abc import Iterator
from contextlib import AsyncExitStack, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from unittest import mock
from uuid import uuid4

import pytest

from deploy.discovery import complete
from deploy.host_variables import write_variables
from deploy.manifest import read_manifest
from tests.acceptance.conftest import resolving
from tests.acceptance.site import Site
from tests.chat_client import Closed
from tests.docker.crowd import Talk, assert_all_received, crowd
from tests.running import REPO, Wss
from tests.vm.machine import ROOT_CA, Machine, Played, Witnessed

TUTORIAL = REPO / "tests" / "guests" / "tutorial"
EXPOSURE = 0.4  # scores of `systemd-analyze security`
WITH_LOOPBACK = 1.2  # of the doctor's unit, which connects to nginx
# What a removal may leave: packages, what systemd and apt keep themselves, and the last backup.
NOT_LISTED = [
    "/opt/parley/releases",
    *(f"/var/lib/{name}" for name in ("apt", "dpkg", "postgresql", "systemd")),
    *(f"/run/{name}" for name in ("systemd", "udev", "credentials", "user", "log", "sudo", "lock")),
    "/etc/letsencrypt/accounts",
]
LIST = f"""
find /etc /opt /var/lib /var/backups /run -xdev \\( -path {" -o -path ".join(NOT_LISTED)} \\) -prune \\
    -o -printf '%p %y %u:%g %m\\n' | grep -v '[.]sock s\\|/ansible\\|session' | sort
systemctl list-unit-files --no-legend --no-pager | grep -v transient | sort
getent passwd; getent group
cd / && runuser -u postgres -- psql -Atc 'SELECT rolname FROM pg_roles UNION SELECT datname FROM pg_database ORDER BY 1'
"""


@dataclass
class Project:
    """The tutorial as a site of the machine."""

    vm: Machine
    folder: Path
    domain: str
    before: set[str] = field(default_factory=set)

    def variables(self, version: str, source: Path = TUTORIAL) -> tuple[str, ...]:
        """Return the options that deploy this source as a release of that name."""
        file = self.folder / f"{version}.json"
        manifest = replace(complete(read_manifest(source)), domain=self.domain)
        write_variables(manifest, file, email="operator@example.test", version=version)
        return ("-e", f"@{file}")

    def deploy(self, version: str, source: Path = TUTORIAL, playbook: str = "site.yml") -> Played:
        return self.vm.playbook(playbook, *self.variables(version, source))

    @property
    def release(self) -> str:
        return self.vm.run("basename $(readlink /opt/tutorial/current)").strip()

    @contextmanager
    def site(self) -> Iterator[Site]:
        """The site of the project, at the machine's own address."""
        address = self.vm.variables["ansible_host"]
        with mock.patch.object(socket, "getaddrinfo", resolving(self.domain, address)):
            yield Site(
                url=f"https://{self.domain}",
                traits=frozenset({"nginx", "hsts", "named"}),
                ca=Path(ROOT_CA) if ROOT_CA else None,
                resolve=(self.domain, address),
            )


@pytest.fixture(scope="module")
def project(vm: Machine, tmp_path_factory: pytest.TempPathFactory) -> Project:
    vm.deploy_once()
    found = Project(vm, tmp_path_factory.mktemp("project"), f"project.{vm.domain}")
    found.before = set(vm.run(LIST).splitlines())
    found.deploy("v1").check()
    return found


class Sockets:
    """Two browsers in a room of the tutorial; one says a number a few times a second, both count."""

    def __init__(self, site: Site) -> None:
        self.site, self.room = site, f"t{uuid4().hex[:8]}"
        self.codes: list[int] = []
        self.received: list[list[int]] = [[], []]
        self.sent = 0

    async def open(self, stack: AsyncExitStack) -> "Sockets":
        self.sockets = [await self._connect(stack) for _ in range(2)]
        self.tasks = [asyncio.ensure_future(self._read(number)) for number in range(2)]
        self.tasks.append(asyncio.ensure_future(self._talk()))
        return self

    async def _connect(self, stack: AsyncExitStack) -> Wss:
        opened = await self.site.wss(f"/ws/chat/{self.room}/", subprotocols=None)
        stack.push_async_callback(opened.connection.close)
        return opened

    async def _read(self, number: int) -> None:
        try:
            while True:
                self.received[number].append(int(json.loads(await self.sockets[number].receive())["message"]))
        except Closed as closed:
            self.codes.append(closed.code)

    async def _talk(self) -> None:
        while True:
            await self.sockets[0].send(json.dumps({"message": str(self.sent)}))
            self.sent += 1
            await asyncio.sleep(0.2)

    async def messages(self, count: int) -> None:
        """Wait until both have received that many more messages."""
        wanted = [len(received) + count for received in self.received]
        async with asyncio.timeout(30):
            while any(len(received) < least for received, least in zip(self.received, wanted, strict=True)):
                await asyncio.sleep(0.1)

    async def end(self) -> None:
        """Stop, and check that both received every number in order."""
        self.tasks[-1].cancel()
        await asyncio.sleep(1)
        for task in self.tasks:
            task.cancel()
        await asyncio.gather(*self.tasks, return_exceptions=True)
        for received in self.received:
            assert received == list(range(len(received)))
            assert len(received) >= self.sent - 1


async def test_both_sites_serve_sockets_at_once(vm: Machine, site: Witnessed, project: Project) -> None:
    with project.site() as guest:
        async with AsyncExitStack() as stack:
            sockets = await Sockets(guest).open(stack)
            async with crowd(site, await site.cookies(2), f"t-{uuid4().hex[:8]}", 10) as members:
                async with Talk(members, 10) as talk:
                    await talk.acks(20)
                    await sockets.messages(10)
                await assert_all_received(members, talk.acked)
            await sockets.end()
            assert sockets.codes == []
        page = guest.browser()
        assert (await page.get("/chat/")).status_code == 200
        await page.aclose()


def test_a_second_run_changes_nothing(vm: Machine, project: Project) -> None:
    for played in (project.deploy("v1"), vm.playbook("site.yml")):
        assert played.check().recap(vm.name)["changed"] == 0, played.output


async def test_a_release_of_the_project_closes_no_socket_of_the_chat(
    vm: Machine, site: Witnessed, project: Project, tmp_path: Path
) -> None:
    """One that works, one that is broken, and a rollback; the broken one closes no socket of the project either."""
    broken = tmp_path / "broken"
    await asyncio.to_thread(copy_of_the_tutorial, broken)
    consumers = broken / "chat" / "consumers.py"
    consumers.write_text(consumers.read_text() + "\nraise RuntimeError('this release is broken')\n")
    with project.site() as guest:
        async with crowd(site, await site.cookies(2), f"t-{uuid4().hex[:8]}", 20) as members, Talk(members, 10) as talk:
            await talk.acks(5)
            async with AsyncExitStack() as stack:
                sockets = await Sockets(guest).open(stack)
                (await asyncio.to_thread(project.deploy, "v2", playbook="deploy.yml")).check()
                assert project.release == "v2"
                assert set(sockets.codes) == {1012}  # asked to reconnect
                for task in sockets.tasks:
                    task.cancel()
                await asyncio.gather(*sockets.tasks, return_exceptions=True)
            async with AsyncExitStack() as stack:
                sockets = await Sockets(guest).open(stack)
                played = await asyncio.to_thread(project.deploy, "v3", broken, playbook="deploy.yml")
                assert played.code != 0
                assert "this release is broken" in played.output
                assert project.release == "v2"
                await sockets.messages(5)
                await sockets.end()
                assert sockets.codes == []
            rolled = await asyncio.to_thread(vm.playbook, "rollback.yml", *project.variables("v2"))
            rolled.check()
            assert project.release == "v1"
            await talk.acks(20)
        await assert_all_received(members, talk.acked)
        assert site.codes == {}
        assert all(member.away == [] for member in members)


def copy_of_the_tutorial(folder: Path) -> None:
    shutil.copytree(TUTORIAL, folder, ignore=shutil.ignore_patterns("__pycache__", "*.sqlite3"))


def test_a_release_of_the_chat_closes_no_socket_of_the_project(vm: Machine, project: Project, site: Witnessed) -> None:
    async def restart_the_chat() -> None:
        with project.site() as guest:
            async with AsyncExitStack() as stack:
                sockets = await Sockets(guest).open(stack)
                await sockets.messages(3)
                await asyncio.to_thread(vm.run, "/opt/parley/current/deploy/release.py restart")
                await sockets.messages(5)
                await sockets.end()
                assert sockets.codes == []

    asyncio.run(restart_the_chat())


def test_little_of_the_project_is_exposed(vm: Machine, project: Project, record_property) -> None:
    listed = vm.run("systemctl list-unit-files --no-legend --plain 'tutorial*.service' | cut -d' ' -f1").split()
    units = " ".join(unit.replace("@.", "@1.") for unit in listed)
    output = vm.run(f"for u in {units}; do systemd-analyze security --no-pager $u | tail -1; done")
    scores = {unit: float(score) for unit, score in re.findall(r"exposure level for (\S+): ([\d.]+)", output)}
    record_property("exposure", scores)
    assert len(scores) >= 7
    limits = {"tutorial-doctor.service": WITH_LOOPBACK}
    assert {unit for unit, score in scores.items() if score > limits.get(unit, EXPOSURE)} == set()


@pytest.mark.parametrize(
    ("user", "path"),
    [
        ("tutorial", "/etc/parley/credentials/SECRET_KEY"),
        ("tutorial", "/var/backups/parley/"),
        ("tutorial", "/run/parley/redis.sock"),
        ("tutorial", "/run/parley/ws1.sock"),
        ("parley", "/etc/tutorial/credentials/SECRET_KEY"),
        ("parley", "/run/tutorial/redis.sock"),
        ("parley", "/run/tutorial/ws1.sock"),
        ("parley", "/var/lib/tutorial/data/"),
        ("www-data", "/run/tutorial/redis.sock"),
    ],
)
def test_no_site_reads_secrets_or_sockets_of_another(vm: Machine, project: Project, user: str, path: str) -> None:
    assert vm.run(f"test -e {path} && echo there").strip() == "there"
    assert vm.run(f"runuser -u {user} -- test -r {path} || echo refused").strip() == "refused"


def test_no_site_connects_to_the_database_of_another(vm: Machine, project: Project) -> None:
    connect = "cd / && runuser -u tutorial -- psql -Atc 'SELECT 1'"
    assert "Peer authentication failed" in vm.run(f"{connect} -U parley parley 2>&1", check=False)
    assert "permission denied for database" in vm.run(f"{connect} parley 2>&1", check=False)


def test_a_backup_of_the_project_is_its_own(vm: Machine, project: Project) -> None:
    vm.playbook("backup.yml", *project.variables("v1")).check()
    files = vm.run("ls /var/backups/tutorial").split()
    assert all(file.startswith("tutorial-") for file in files)
    assert any(file.endswith(".dump") for file in files)


def test_the_removal_leaves_the_host_as_it_was(vm: Machine, project: Project, site: Witnessed) -> None:
    refused = vm.playbook("remove.yml", *project.variables("v1"))
    assert refused.code != 0
    assert "Confirm with -e site_confirm=tutorial" in refused.output
    vm.playbook("remove.yml", *project.variables("v1"), "-e", "site_confirm=tutorial").check()
    after = set(vm.run(LIST).splitlines())
    left = {line for line in after - project.before if not line.startswith("/var/backups/tutorial-removed")}
    assert left == set()
    assert {line for line in project.before - after if "tutorial" in line} == set()
    assert vm.run("ls /var/backups/tutorial-removed/*.dump").strip()
    trust = "--trust /etc/nginx/certificate/fullchain.pem"
    vm.run(f"/opt/parley/current/deploy/smoke.py https://{vm.domain} --connect 127.0.0.1 {trust}")
