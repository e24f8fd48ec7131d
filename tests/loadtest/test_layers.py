"""The load test imports nothing from the application, its front ends share the core only, and no import is circular."""

import ast
from functools import cache
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

REPO = Path(__file__).parent.parent.parent
APPLICATION = {path.name for path in (REPO / "app").iterdir() if (path / "__init__.py").exists()}
FILES = sorted((REPO / "loadtest").rglob("*.py"))


def name_of(file: Path) -> str:
    return ".".join(file.relative_to(REPO).with_suffix("").parts).removesuffix(".__init__")


MODULES = {name_of(file): file for file in FILES}


@cache
def imports_of(file: Path) -> frozenset[str]:
    """Every name that a file imports, wherever the import stands; of `from a import b` also a.b if it is a module."""
    names = set()
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            inner = {f"{node.module}.{alias.name}" for alias in node.names}
            names |= {name for name in inner if name in MODULES} or {node.module}
    return frozenset(names)


@pytest.mark.parametrize("file", FILES, ids=name_of)
def test_the_load_test_imports_nothing_of_the_application(file: Path) -> None:
    assert not {name.partition(".")[0] for name in imports_of(file)} & APPLICATION


def test_there_is_an_application_to_keep_apart_from() -> None:
    assert {"accounts", "chat", "config", "channels_realtime"} <= APPLICATION


@pytest.mark.parametrize(
    ("part", "forbidden"),
    [
        ("loadtest.core", ("loadtest.load", "loadtest.bench", "locust", "gevent", "asyncio", "django")),
        ("loadtest.load", ("loadtest.bench",)),
        ("loadtest.bench", ("loadtest.load", "locust", "gevent")),
    ],
)
def test_both_front_ends_build_on_the_core_only(part: str, forbidden: tuple[str, ...]) -> None:
    files = [file for name, file in MODULES.items() if name.startswith(part) and "tutorial" not in name]
    wrong = {
        (file.name, name)
        for file in files
        for name in imports_of(file)
        if name.startswith(forbidden) and file.name != "broadcast_server.py"  # a server of its own
    }
    assert files
    assert not wrong


def test_no_modules_import_in_a_circle() -> None:
    # What is imported for types alone is a dependency of the reader as well, so it counts here.
    graph = {name: {one for one in imports_of(file) if one in MODULES} for name, file in MODULES.items()}
    TopologicalSorter(graph).prepare()
