"""Where a project works with PostgreSQL alone: fields, operations and statements that no other database has."""

import ast
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from deploy.project.python import Module, Modules, called_name, string_value
from deploy.project.settings import Settings

PACKAGES = ("django.contrib.postgres.", "psqlextra.", "pgtrigger.", "pgvector.", "django_pgviews.", "django_hstore.")
# In the SQL of a migration.
STATEMENTS = re.compile(
    r"\bCREATE EXTENSION\b|\bplpgsql\b|\bUSING\s+(?:gin|gist|brin)\b|\bCREATE (?:TYPE|SEQUENCE|MATERIALIZED VIEW)\b"
    r"|\bALTER SEQUENCE\b|\bto_tsvector\b|\bjsonb?_|::\s*(?:jsonb?|text|uuid|int|regclass)\b",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class PostgresqlUse:
    """A line that needs PostgreSQL, and the name of what it uses."""

    name: str
    path: Path
    line: int


def find_postgresql_uses(modules: Modules, paths: Iterable[Path], settings: Settings | None) -> list[PostgresqlUse]:
    """Return the lines that no other database understands.

    Args:
        modules: the project's modules.
        paths: the files to look through: its code and its migrations.
        settings: its settings, whose INSTALLED_APPS count.
    """
    found = [use for path in paths for use in _uses_in(modules.parse(path))]
    apps = settings.assignments.get("INSTALLED_APPS", []) if settings else []
    for assignment in apps:
        for node in ast.walk(assignment.value):
            name = string_value(node)
            if name and f"{name}.".startswith(PACKAGES):
                found.append(PostgresqlUse(name, assignment.module.path, node.lineno))  # type: ignore[attr-defined]
    return list(dict.fromkeys(found))


def _uses_in(module: Module) -> Iterator[PostgresqlUse]:
    for node in ast.walk(module.tree):
        if isinstance(node, ast.ImportFrom) and not node.level and f"{node.module}.".startswith(PACKAGES):
            yield PostgresqlUse(", ".join(alias.name for alias in node.names), module.path, node.lineno)
        elif isinstance(node, ast.Import):
            for alias in node.names:
                if f"{alias.name}.".startswith(PACKAGES):
                    yield PostgresqlUse(alias.name, module.path, node.lineno)
        elif isinstance(node, ast.Call) and called_name(node).endswith("RunSQL"):
            texts = (text for part in ast.walk(node) if (text := string_value(part)))
            statement = next((match for text in texts if (match := STATEMENTS.search(text))), None)
            if statement:
                yield PostgresqlUse(statement[0].strip(), module.path, node.lineno)
