"""Disposable machines from the inventory TEST_INVENTORY, which also has the variables of each one's site."""

import os
from pathlib import Path

import pytest

from tests.vm.machine import Machine, Played, machines

# Without an inventory nothing is collected: `make test` uses this machine only.
INVENTORY = os.environ.get("TEST_INVENTORY")
# Which hosts of the inventory a fixture gives: those of a group, or those of none of them.
GROUPS = {"vm": "", "alone_vm": "alone", "shared_vm": "shared", "busy_vm": "busy"}
FILES = {"test_project_alone.py": "alone", "test_nginx_neighbour.py": "shared", "test_neighbours.py": "busy"}


def ignored_files() -> list[str]:
    """Return the test files for whose group the inventory has no host."""
    found = {vm.group for vm in machines()} if INVENTORY else set()
    files = {file.name: FILES.get(file.name, "") for file in Path(__file__).parent.glob("test_*.py")}
    return [name for name, group in files.items() if group not in found]


collect_ignore_glob = ignored_files()


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    for name in GROUPS.keys() & set(metafunc.fixturenames):
        found = [vm for vm in machines() if vm.group == GROUPS[name]]
        metafunc.parametrize(name, found, ids=[vm.name for vm in found], scope="session")


@pytest.fixture
def site(vm: Machine, deployed: Played):
    with vm.tunnel() as site:
        yield site


@pytest.fixture
def deployed(vm: Machine) -> Played:
    """The deployment after which this checkout's commit serves."""
    return vm.deploy_once()


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print the figures that the tests have recorded."""
    for report in terminalreporter.getreports("passed") + terminalreporter.getreports("failed"):
        for name, value in report.user_properties:
            terminalreporter.write_line(f"{report.nodeid}: {name} = {value}")
