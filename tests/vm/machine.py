"""A machine that Ansible can reach: commands on it, deployments to it, and its site as seen from there."""

import asyncio
import json
import os
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import aclosing, contextmanager
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any
from unittest import mock

import httpx
from websockets.exceptions import InvalidHandshake, InvalidStatus

from tests.acceptance.conftest import resolving
from tests.acceptance.site import Person, Site
from tests.chat_client import Closed
from tests.fresh.hosts import ssh_command
from tests.running import Wss, free_port
from tests.vm.checkout import Checkout

ROOT_CA = os.environ.get("PARLEY_CA")  # of a private authority
# Groups of the inventory. Hosts of the first get a project alone; those of the second have an nginx with another site.
GROUPS = ("alone", "shared", "busy")
TRIES_A_SECOND = 10  # nginx allows one address some more handshakes
PLAY_TIMEOUT_SECONDS = 1200  # of a playbook, on a busy machine
ANSIBLE = Path(os.environ.get("PARLEY_ANSIBLE") or Path(sys.executable).parent)  # where ansible-playbook is


@dataclass
class Machine:
    name: str
    variables: dict[str, str]
    group: str = ""
    """One of GROUPS, or none."""
    had_no_site: bool = False
    """Whether the machine had no Parley before these tests."""
    dry_run: "Played | None" = None
    """The dry run (--check --diff) before the first deployment."""
    deployed: "Played | None" = None
    """The first deployment of this test run."""

    @property
    def domain(self) -> str:
        return self.variables["site_domain"]

    @property
    def ssh(self) -> tuple[str, ...]:
        return ssh_command(self.name, self.variables)

    def run(self, command: str, *, seconds: float = 120, check: bool = True) -> str:
        """Run a command as root and return its output."""
        done = subprocess.run(
            [*self.ssh, "sudo sh -s"],
            input=command,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=seconds,
            check=False,
        )
        assert not check or done.returncode == 0, f"{command}: exit code {done.returncode}\n{done.stdout}"
        return done.stdout

    def playbook(self, name: str, *arguments: str, repo: Path | None = None) -> "Played":
        """Run a playbook of this commit, or of another checkout."""
        repo = repo or this_commit()
        config = {"ANSIBLE_CONFIG": str(repo / "ansible" / "ansible.cfg")}
        limit = ("--limit", f"{self.name},localhost")
        return play([ANSIBLE / "ansible-playbook", *inventory(), *limit, *arguments, f"ansible/{name}"], repo, config)

    @property
    def address(self) -> str:
        """USER@ADDRESS, as an operator names the machine."""
        return f"{self.variables.get('ansible_user', 'root')}@{self.variables.get('ansible_host', self.name)}"

    def connection(self) -> dict[str, str]:
        """Return the environment in which Ansible reaches the machine without an inventory."""
        found = {
            "ANSIBLE_PRIVATE_KEY_FILE": self.variables.get("ansible_ssh_private_key_file", ""),
            "ANSIBLE_SSH_COMMON_ARGS": self.variables.get("ansible_ssh_common_args", ""),
            "ANSIBLE_REMOTE_PORT": self.variables.get("ansible_port", ""),
        }
        return {name: value for name, value in found.items() if value}

    def make(self, target: str, **variables: str) -> "Played":
        """Run `make TARGET HOST=user@address NAME=value...` in this commit, as an operator does."""
        settings = [f"{name}={value}" for name, value in {"HOST": self.address, **variables}.items()]
        # The packages that deploy are installed already.
        command = ["make", "--no-print-directory", "--old-file=.venv/.stamp-deploy", target, *settings]
        return play(command, this_commit(), self.connection())

    def site_variables(self) -> dict[str, str]:
        """Return the variables of `make deploy` for this machine's site."""
        known = {name: value for name, value in self.variables.items() if name.startswith("site_")}
        variables = {"DOMAIN": known.pop("site_domain"), "EMAIL": known.pop("site_email")}
        return {**variables, "ARGS": " ".join(f"-e {name}={value}" for name, value in known.items())}

    def deploy_once(self) -> "Played":
        """Deploy this checkout's commit once, after a dry run, and return the deployment."""
        if not self.deployed:
            self.had_no_site = self.run("ls -d /opt/parley", check=False).startswith("ls: ")
            self.dry_run = self.playbook("site.yml", "--check", "--diff")
            self.deployed = self.make("deploy", **self.site_variables()).check()
        return self.deployed

    def exposure(self, *patterns: str) -> dict[str, float]:
        """Return the score by `systemd-analyze security` of each service whose name matches a pattern."""
        quoted = " ".join(f"'{pattern}'" for pattern in patterns)
        listed = self.run(f"systemctl list-unit-files --no-legend --plain {quoted} | cut -d' ' -f1").split()
        units = " ".join(unit.replace("@.", "@1.") for unit in listed)
        output = self.run(f"for u in {units}; do systemd-analyze security --no-pager $u | tail -1; done")
        return {unit: float(score) for unit, score in re.findall(r"exposure level for (\S+): ([\d.]+)", output)}

    @property
    def release(self) -> str:
        """The version that serves."""
        return self.run("basename $(readlink /opt/parley/current)").strip()

    def pid(self, unit: str) -> int:
        """Return the unit's main process."""
        return int(self.run(f"systemctl show --value -p MainPID {unit}"))

    def until(self, command: str, *, seconds: float) -> float:
        """Wait until the command succeeds on the machine and return how many seconds that took."""
        began = time.monotonic()
        while subprocess.run([*self.ssh, f"sudo {command}"], capture_output=True, check=False).returncode != 0:
            assert time.monotonic() - began < seconds, f"this did not succeed within {seconds} s: {command}"
            time.sleep(0.2)
        return time.monotonic() - began

    @contextmanager
    def tunnel(self) -> "Iterator[Witnessed]":
        """The site through a tunnel that ends on the machine, whose own clients nginx does not rate limit."""
        port = free_port()
        command = [*self.ssh[:1], "-N", "-o", "ExitOnForwardFailure=yes", "-L", f"{port}:127.0.0.1:443", *self.ssh[1:]]
        through = subprocess.Popen(command, stdin=subprocess.DEVNULL)
        try:
            deadline = time.monotonic() + 20
            while True:
                try:
                    socket.create_connection(("127.0.0.1", port), timeout=1).close()
                    break
                except OSError:
                    assert through.poll() is None, "the tunnel does not open"
                    assert time.monotonic() < deadline, "the tunnel does not open"
                    time.sleep(0.05)
            with mock.patch.object(socket, "getaddrinfo", resolving(self.domain, "127.0.0.1")):
                yield Witnessed(
                    url=f"https://{self.domain}:{port}",
                    traits=frozenset({"nginx", "hsts", "named"}),
                    ca=Path(ROOT_CA) if ROOT_CA else None,
                    resolve=(self.domain, "127.0.0.1"),
                )
        finally:
            through.terminate()
            through.wait()


@dataclass
class Played:
    """A playbook that has ended: its exit code, its output and its duration."""

    code: int
    output: str
    seconds: float

    def check(self) -> "Played":
        """Assert that the playbook succeeded."""
        assert self.code == 0, self.output[-6000:]
        return self

    def recap(self, host: str) -> dict[str, int]:
        """Return the counters of the recap (ok, changed, failed...) of this host."""
        line = next(line for line in reversed(self.output.splitlines()) if line.startswith(f"{host} "))
        return {key: int(value) for key, value in (word.split("=") for word in line.split(":", 1)[1].split())}


@dataclass(frozen=True)
class Witnessed(Site):
    """A site that counts the close codes of its sockets."""

    codes: Counter[int] = field(default_factory=Counter)

    async def wss(self, path: str = "/ws/", **options: Any) -> Wss:
        opened = WitnessedWss((await super().wss(path, **options)).connection)
        opened.codes = self.codes
        return opened

    async def cookies(self, count: int) -> list[str]:
        """Return session cookies of `count` new guests."""
        return [await self._guest() for _ in range(count)]

    async def _guest(self) -> str:
        person = Person(self)
        await person.browser.get("/")
        assert (await person.as_guest()).status_code == 302
        cookie = person.browser.cookies["sessionid"]
        await person.browser.aclose()
        return str(cookie)


class WitnessedWss(Wss):
    codes: Counter[int]

    async def receive(self) -> str:
        try:
            return await super().receive()
        except Closed as closed:
            self.codes[closed.code] += 1
            raise


class Pages:
    """Requests a page repeatedly, one request after the other, and counts the answers; `options` are those of httpx."""

    def __init__(self, site: Site, path: str = "/", **options: Any) -> None:
        self.client, self.path = site.browser(**options), path
        self.answers: Counter[str] = Counter()
        self.slowest = 0.0

    async def run(self) -> None:
        async with aclosing(self.client):
            while True:
                began = time.monotonic()
                try:
                    self.answers[str((await self.client.get(self.path)).status_code)] += 1
                except httpx.HTTPError as error:
                    self.answers[repr(error)] += 1
                self.slowest = max(self.slowest, time.monotonic() - began)


class Handshakes:
    """Opens a WebSocket and closes it, one after the other, and counts the answers: 101, or the refusal."""

    def __init__(self, site: Site, cookie: str) -> None:
        self.site, self.cookies = site, httpx.Cookies({"sessionid": cookie})
        self.answers: Counter[str] = Counter()

    async def run(self) -> None:
        while True:
            try:
                socket = await self.site.wss(cookies=self.cookies)
            except InvalidStatus as refused:
                self.answers[str(refused.response.status_code)] += 1
            except (OSError, EOFError, TimeoutError, InvalidHandshake) as error:
                self.answers[repr(error)] += 1
            else:
                self.answers["101"] += 1
                await socket.close()
            await asyncio.sleep(1 / TRIES_A_SECOND)


def play(command: Sequence[str | Path], folder: Path, environment: dict[str, str]) -> Played:
    began = time.monotonic()
    done = subprocess.run(
        command,
        cwd=folder,
        env={**os.environ, "ANSIBLE_NOCOLOR": "1", **environment},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=PLAY_TIMEOUT_SECONDS,
        check=False,
    )
    return Played(done.returncode, done.stdout, time.monotonic() - began)


@cache
def this_commit() -> Path:
    """Return a clone of this repository, so that a commit during the tests does not change the release."""
    folder = Checkout(Path(tempfile.mkdtemp(prefix="parley-release-")) / "parley").folder
    (folder / ".venv" / "bin").mkdir(parents=True)
    (folder / ".venv" / ".stamp-deploy").touch()
    (folder / ".venv" / "bin" / "ansible-playbook").symlink_to(ANSIBLE / "ansible-playbook")
    return folder


def inventory() -> Sequence[str]:
    return ("-i", os.environ["TEST_INVENTORY"])


@cache
def machines() -> list[Machine]:
    program = ANSIBLE / "ansible-inventory"
    assert shutil.which(program), f"{program} is missing: requirements/deploy.txt"
    output = subprocess.run([program, *inventory(), "--list"], capture_output=True, text=True, check=True).stdout
    listed = json.loads(output)
    groups = {name: group for group in GROUPS for name in listed.get(group, {}).get("hosts", [])}
    return [
        Machine(name, {key: str(value) for key, value in found.items()}, groups.get(name, ""))
        for name, found in listed["_meta"]["hostvars"].items()
    ]
