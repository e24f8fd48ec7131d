"""A load test that shared code with the server could share its mistakes."""

import ast
from pathlib import Path

import pytest

REPO = Path(__file__).parent.parent.parent
OURS = {path.name for path in (REPO / "app").iterdir() if (path / "__init__.py").exists()}


@pytest.mark.parametrize("file", sorted((REPO / "loadtest").rglob("*.py")), ids=lambda file: file.stem)
def test_the_load_test_imports_nothing_of_the_application(file: Path) -> None:
    names = set()
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names.add(node.module)
    assert not {name.partition(".")[0] for name in names} & OURS


def test_there_is_an_application_to_keep_apart_from() -> None:
    assert {"accounts", "chat", "config", "realtime"} <= OURS
