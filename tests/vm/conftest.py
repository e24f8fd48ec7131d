"""Disposable machines from the inventory PARLEY_TEST_INVENTORY, which also has the variables of each one's site."""

import os

import pytest

from tests.vm.machine import Machine, Played, machines

# Without an inventory nothing is collected: `make test` uses this machine only.
collect_ignore_glob = [] if os.environ.get("PARLEY_TEST_INVENTORY") else ["test_*.py"]


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "vm" in metafunc.fixturenames:
        found = machines()
        if not found:
            raise pytest.UsageError("PARLEY_TEST_INVENTORY has no hosts")
        metafunc.parametrize("vm", found, ids=[vm.name for vm in found], scope="session")


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
