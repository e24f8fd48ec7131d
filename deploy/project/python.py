"""Modules of the project as syntax trees, with what it takes to name the line of a finding."""

import ast
import codecs
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

BYTE_ORDER_MARKS = ((codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))


def read_text(path: Path) -> str:
    """Return the text of a file. PowerShell's `>` writes UTF-16; bytes that are no text become U+FFFD."""
    content = path.read_bytes()
    for mark, encoding in BYTE_ORDER_MARKS:
        if content.startswith(mark):
            return content.decode(encoding, errors="replace")
    return content.decode("utf-8", errors="replace")


@dataclass(frozen=True)
class Module:
    """A file of Python. `tree` is an empty module where the file does not parse; `syntax_error` then says why."""

    path: Path
    text: str
    tree: ast.Module
    syntax_error: str = ""
    error_line: int = 0

    def line(self, number: int) -> str:
        """Return a line, counted from 1, without its indentation."""
        lines = self.text.splitlines()
        return lines[number - 1].strip() if 0 < number <= len(lines) else ""


@dataclass
class Modules:
    """The modules below one folder, the first entry of sys.path of the project. Each file is parsed once."""

    root: Path
    _parsed: dict[Path, Module] = field(default_factory=dict)

    def parse(self, path: Path) -> Module:
        """Return the module of a file.

        Raises:
            OSError: the file cannot be read.
        """
        if path not in self._parsed:
            self._parsed[path] = _parse(path)
        return self._parsed[path]

    def find(self, name: str) -> Module | None:
        """Return the module of a dotted name, or None if it is not one of the project's own."""
        path = self.find_file(name)
        return self.parse(path) if path else None

    def find_file(self, name: str) -> Path | None:
        """Return the file of a dotted name, or None if it is not one of the project's own."""
        if not name:
            return None
        base = self.root.joinpath(*name.split("."))
        for path in (base / "__init__.py", base.with_name(f"{base.name}.py")):
            if path.is_file():
                return path
        return None

    def name_of(self, path: Path) -> str:
        """Return the dotted name by which the project imports a file."""
        parts = list(path.relative_to(self.root).with_suffix("").parts)
        if parts and parts[-1] == "__init__":
            parts.pop()
        return ".".join(parts)

    def resolve_import(self, module: Module, statement: ast.ImportFrom) -> str:
        """Return the absolute name of the module from which a statement imports."""
        if not statement.level:
            return statement.module or ""
        package = self.name_of(module.path).split(".")
        if module.path.name != "__init__.py":
            package = package[:-1]
        package = package[: len(package) - (statement.level - 1)]
        return ".".join([*package, *([statement.module] if statement.module else [])])

    def imported_names(self, module: Module) -> dict[str, str]:
        """Return what the names that a module imports at any place mean: local name -> absolute dotted name."""
        names = {}
        for node in ast.walk(module.tree):
            if isinstance(node, ast.Import):
                for alias in node.names:
                    names[alias.asname or alias.name.split(".")[0]] = (
                        alias.name if alias.asname else alias.name.split(".")[0]
                    )
            elif isinstance(node, ast.ImportFrom):
                source = self.resolve_import(module, node)
                for alias in node.names:
                    names[alias.asname or alias.name] = f"{source}.{alias.name}" if source else alias.name
        return names


def _parse(path: Path) -> Module:
    text = read_text(path)
    try:
        return Module(path, text, ast.parse(text, str(path)))
    except (SyntaxError, ValueError, RecursionError) as error:
        empty = ast.Module(body=[], type_ignores=[])
        if isinstance(error, SyntaxError):
            return Module(path, text, empty, error.msg, error.lineno or 1)
        return Module(path, text, empty, str(error), 1)


def top_level(module: Module) -> Iterator[tuple[ast.stmt, bool]]:
    """Yield the statements that run when the module is imported, and whether a condition may skip them."""
    yield from _flatten(module.tree.body, is_conditional=False)


def _flatten(body: list[ast.stmt], *, is_conditional: bool) -> Iterator[tuple[ast.stmt, bool]]:
    for statement in body:
        yield statement, is_conditional
        if isinstance(statement, ast.If):
            if is_main_guard(statement):
                continue
            yield from _flatten(statement.body, is_conditional=True)
            yield from _flatten(statement.orelse, is_conditional=True)
        elif isinstance(statement, ast.Try):
            yield from _flatten(statement.body, is_conditional=is_conditional)
            for handler in statement.handlers:
                yield from _flatten(handler.body, is_conditional=True)
            yield from _flatten(statement.orelse, is_conditional=is_conditional)
            yield from _flatten(statement.finalbody, is_conditional=is_conditional)
        elif isinstance(statement, ast.With):
            yield from _flatten(statement.body, is_conditional=is_conditional)


def is_main_guard(statement: ast.If) -> bool:
    """Return whether the statement is `if __name__ == "__main__"`."""
    return isinstance(statement.test, ast.Compare) and getattr(statement.test.left, "id", "") == "__name__"


def dotted_name(node: ast.AST) -> str:
    """Return "a.b.c" for the expression a.b.c, and "" for any other."""
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Attribute):
        base = dotted_name(node.value)
        return f"{base}.{node.attr}" if base else ""
    return ""


def called_name(node: ast.AST) -> str:
    """Return the dotted name of what a call calls, and "" for anything else."""
    return dotted_name(node.func) if isinstance(node, ast.Call) else ""


def string_value(node: ast.AST | None) -> str | None:
    """Return the value of a string literal, and None for any other expression."""
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else None
