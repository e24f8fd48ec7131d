"""Which tests need processes of their own, a browser or PostgreSQL. `make test FAST=1` leaves them out.

A test is left out for what it uses, never by its name: one of the fixtures in FIXTURES, a name that its module imports
from one of the modules in HELPERS, or a folder in FOLDERS. All three lists are in this file, and nowhere else.
"""

import importlib.util
from collections import Counter
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

TESTS = Path(__file__).parent

# Each test in these folders speaks to servers that it has started.
FOLDERS = ("acceptance", "browser", "guests", "stack")

# What starts servers. A fixture counts for each test whose fixtures use it.
FIXTURES = ("stack", "postgres", "postgres_stack", "one_process")

# What starts a program: the whole stack, PostgreSQL, nginx, Chromium, a load test, the benchmark's client.
HELPERS = (
    "loadtest.bench.client_process",
    "tests.browser.window",
    "tests.loadtest.command",
    "tests.loadtest.faulty_project",
    "tests.nginx.served",
    "tests.postgres",
    "tests.running",
    "tests.site.project",
)

LEFT_OUT = pytest.StashKey[Counter[str]]()


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the option --fast."""
    parser.addoption("--fast", action="store_true", help="leave out tests that need processes, a browser or PostgreSQL")


def pytest_configure(config: pytest.Config) -> None:
    """Refuse a list in this file that names what is no longer there.

    Raises:
        pytest.UsageError: A folder or a helper has been renamed or removed.
    """
    lost = [name for name in FOLDERS if not (TESTS / name).is_dir()]
    lost += [name for name in HELPERS if importlib.util.find_spec(name) is None]
    if lost:
        raise pytest.UsageError(f"tests/fast.py names {', '.join(lost)}, which does not exist")
    config.stash[LEFT_OUT] = Counter()


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Put the modules that start programs first, or deselect their tests with --fast.

    They are the long ones: when the short modules come last, both workers of pytest-xdist end at about the same time.
    """
    needs = {item: need for item in items if (need := find_need(item))}
    long_modules = {item.path for item in needs}
    items.sort(key=lambda item: item.path not in long_modules)  # stable: the order within both halves stays
    if config.getoption("fast"):
        config.stash[LEFT_OUT].update(needs.values())
        config.hook.pytest_deselected(items=list(needs))
        items[:] = [item for item in items if item not in needs]


def find_need(item: pytest.Item) -> str:
    """Return what keeps a test out of the fast run, as a phrase for the summary; "" when nothing does."""
    folder = item.path.relative_to(TESTS).parts[0]
    if folder in FOLDERS:
        return f"in tests/{folder}"
    for fixture in FIXTURES:
        if fixture in getattr(item, "fixturenames", ()):
            return f"with the fixture {fixture}"
    for helper in HELPERS:
        if imports_from(item.module, helper):  # type: ignore[attr-defined]
            return f"that import {helper}"
    return ""


def imports_from(module: ModuleType, helper: str) -> bool:
    """Whether a name in `module` is the module `helper`, or a function or class that is defined there."""
    return any(
        getattr(value, "__module__", getattr(value, "__name__", "")) == helper for value in vars(module).values()
    )


# --- The summary. pytest-xdist's workers collect; only the controller prints.


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Hand the counts to the controller, from a worker."""
    output: dict[str, Any] | None = getattr(session.config, "workeroutput", None)
    if output is not None:
        output["left_out"] = dict(session.config.stash[LEFT_OUT])


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    """Take the counts of a worker. All workers collect the same tests, so the last one's counts are everybody's."""
    if counts := getattr(node, "workeroutput", {}).get("left_out"):
        node.config.stash[LEFT_OUT] = Counter(counts)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Print how many tests were left out, and why."""
    if counts := config.stash[LEFT_OUT]:
        terminalreporter.section(f"left out by --fast: {counts.total()} tests; `make test` runs them")
        for need, number in counts.most_common():
            terminalreporter.write_line(f"{number:5} {need}")
