"""The bare hosts, with this repository on them."""

import os
import subprocess
from pathlib import Path

import pytest

from tests.fresh.hosts import Host, in_inventory

REPO = Path(__file__).resolve().parents[2]


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """`bare_host` is each host of the inventory; `new_machine` each of its group first_boot, and no `bare_host`."""
    for fixture, wanted in (("bare_host", False), ("new_machine", True)):
        if fixture in metafunc.fixturenames:
            inventory = os.environ.get("TEST_INVENTORY")
            if not inventory:
                raise pytest.UsageError("TEST_INVENTORY must name an inventory of bare hosts")
            hosts = [host for host in in_inventory(Path(inventory)) if ("first_boot" in host.groups) == wanted]
            metafunc.parametrize(fixture, hosts, ids=[host.name for host in hosts], scope="session")


@pytest.fixture(scope="session")
def clone() -> bytes:
    """The current commit, as a bundle for `git clone`."""
    pack = subprocess.run(["git", "bundle", "create", "-", "HEAD"], cwd=REPO, capture_output=True, check=True)
    return pack.stdout


@pytest.fixture
def host(bare_host: Host, clone: bytes) -> Host:
    """A bare host with git and make, as the README requires, and with a bundle of the repository."""
    bare_host.run("sudo apt-get -q update && sudo DEBIAN_FRONTEND=noninteractive apt-get -q -y install git make")
    bare_host.run("cat > /tmp/parley.bundle", stdin=clone)
    return bare_host


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print the durations that the tests have recorded."""
    for report in terminalreporter.getreports("passed") + terminalreporter.getreports("failed"):
        for name, value in report.user_properties:
            terminalreporter.write_line(f"{report.nodeid}: {name} = {value}")
