"""The settings of a project, read from its files: which expression gives a setting its value, and that value."""

import ast
import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from deploy.project.python import Module, Modules, called_name, dotted_name, string_value, top_level

UNKNOWN: Final = object()
"""The value of an expression that only the running project can know."""

MAX_DEPTH = 12  # expressions that refer to each other
ENVIRONMENT_FUNCTIONS = frozenset({"os.environ.get", "os.getenv", "environ.get", "getenv", "os.environ", "environ"})
# django-environ's Env(), python-decouple's config(), environs' Env(): each is an object that the settings call.
ENVIRONMENT_PACKAGES = frozenset({"environ", "decouple", "environs", "prettyconf", "envparse", "starlette.config"})
ADDRESS_FUNCTIONS = frozenset({"dj_database_url.config", "dj_database_url"})


@dataclass(frozen=True)
class Assignment:
    """One statement that gives a name its value."""

    name: str
    value: ast.expr
    module: Module
    is_conditional: bool

    @property
    def line(self) -> int:
        """The line of the statement's value."""
        return self.value.lineno


@dataclass(frozen=True)
class EnvironmentRead:
    """An environment variable that the project reads."""

    name: str
    is_required: bool
    """Whether the settings cannot be imported without the variable."""
    module: Module
    line: int
    default: Any = None


@dataclass(frozen=True)
class _Helper:
    """A function of the project that reads the environment variable whose name is its first argument."""

    is_required: bool
    """Whether it fails without the variable."""


@dataclass
class Settings:
    """What the settings module assigns, with what it imports by `from x import *`, in the order of execution."""

    modules: Modules
    name: str
    assignments: dict[str, list[Assignment]] = field(default_factory=dict)
    read_modules: list[Module] = field(default_factory=list)
    _imports: dict[Path, dict[str, str]] = field(default_factory=dict)
    _helpers: dict[str, "_Helper | None"] = field(default_factory=dict)

    def last(self, name: str) -> Assignment | None:
        """Return the statement that decides about a name: the last one, without a condition where there is one."""
        found = self.assignments.get(name)
        return found[-1] if found else None

    def value(self, name: str) -> Any:
        """Return the value of a name, or UNKNOWN."""
        assignment = self.last(name)
        return self.evaluate(assignment.value, assignment.module) if assignment else UNKNOWN

    def evaluate(self, node: ast.AST | None, module: Module, depth: int = 0) -> Any:
        """Return the value of an expression, or UNKNOWN. Dictionaries and arrays may contain UNKNOWN."""
        if node is None or depth > MAX_DEPTH:
            return UNKNOWN

        def value_of(part: ast.AST | None) -> Any:
            return self.evaluate(part, module, depth + 1)

        match node:
            case ast.Constant(value=value):
                return value
            case ast.Name(id="__file__"):
                return Path(module.path)
            case ast.Name(id=name):
                assignment = self.last(name)
                return self.evaluate(assignment.value, assignment.module, depth + 1) if assignment else UNKNOWN
            case ast.List(elts=parts) | ast.Tuple(elts=parts) | ast.Set(elts=parts):
                return [value_of(part) for part in parts]
            case ast.Dict(keys=keys, values=values):
                pairs = [(value_of(key), value_of(value)) for key, value in zip(keys, values, strict=True)]
                return {key: value for key, value in pairs if isinstance(key, str | int)}
            case ast.JoinedStr(values=parts):
                texts = [value_of(part.value if isinstance(part, ast.FormattedValue) else part) for part in parts]
                return UNKNOWN if any(text is UNKNOWN for text in texts) else "".join(map(str, texts))
            case ast.BinOp(left=left, op=operator, right=right):
                return _combine(value_of(left), operator, value_of(right))
            case ast.BoolOp(op=ast.Or(), values=parts):
                return next((value for part in parts if (value := value_of(part)) is not UNKNOWN and value), UNKNOWN)
            case ast.IfExp(body=body, orelse=orelse):
                first, second = value_of(body), value_of(orelse)
                return first if first == second else UNKNOWN
            case ast.Attribute(value=base, attr="parent"):
                path = value_of(base)
                return path.parent if isinstance(path, Path) else UNKNOWN
            case ast.Subscript(value=ast.Attribute(value=base, attr="parents"), slice=ast.Constant(value=int(index))):
                path = value_of(base)
                return path.parents[index] if isinstance(path, Path) and index < len(path.parents) else UNKNOWN
            case ast.Call():
                return self._evaluate_call(node, module, depth)
        return UNKNOWN

    def _evaluate_call(self, node: ast.Call, module: Module, depth: int) -> Any:
        name = called_name(node)
        arguments = [self.evaluate(argument, module, depth + 1) for argument in node.args]
        if any(argument is UNKNOWN for argument in arguments):
            return UNKNOWN
        last = node.func.attr if isinstance(node.func, ast.Attribute) else name
        first = arguments[0] if arguments else UNKNOWN
        if last in {"Path", "str", "abspath", "realpath", "normpath"} and first is not UNKNOWN:
            return str(first) if last == "str" else Path(first) if isinstance(first, str | Path) else UNKNOWN
        if last == "dirname" and isinstance(first, str | Path):
            return Path(first).parent
        if name.endswith("path.join") and all(isinstance(argument, str | Path) for argument in arguments):
            return Path(os.path.normpath(Path(*arguments)))
        if isinstance(node.func, ast.Attribute) and last in {"resolve", "absolute", "joinpath", "split", "as_posix"}:
            base = self.evaluate(node.func.value, module, depth + 1)
            if isinstance(base, Path):
                return str(base) if last == "as_posix" else base.joinpath(*arguments)
            if isinstance(base, str) and last == "split":
                return base.split(*arguments)
            return UNKNOWN
        read = self.environment_read(node, module)
        return read.default if read and not read.is_required else UNKNOWN

    def environment_read(self, node: ast.AST, module: Module) -> EnvironmentRead | None:
        """Return the environment variable that this very expression reads, if it is one that does."""
        if isinstance(node, ast.Subscript) and dotted_name(node.value) in {"os.environ", "environ"}:
            name = string_value(node.slice)
            return EnvironmentRead(name, True, module, node.lineno) if name else None
        if not isinstance(node, ast.Call):
            return None
        called = called_name(node)
        if called.startswith("dj_database_url.") and called.endswith((".config", ".parse")):
            keywords = {keyword.arg: keyword.value for keyword in node.keywords}
            name = string_value(keywords.get("env")) or "DATABASE_URL"
            return EnvironmentRead(name, False, module, node.lineno) if called.endswith(".config") else None
        name = string_value(node.args[0]) if node.args else None
        if not name:
            return None
        default = node.args[1] if len(node.args) > 1 else None
        for keyword in node.keywords:
            if keyword.arg == "default":
                default = keyword.value
        if called in ENVIRONMENT_FUNCTIONS:
            return EnvironmentRead(
                name, False, module, node.lineno, self.evaluate(default, module) if default else None
            )
        helper = self._find_helper(called, module)
        if helper:
            given = self.evaluate(default, module) if default is not None else None
            return EnvironmentRead(name, helper.is_required and default is None, module, node.lineno, given)
        if self._is_environment_object(called.split(".")[0], module):
            has_default = default is not None or self._has_declared_default(called.split(".")[0], name)
            value = self.evaluate(default, module) if default is not None else UNKNOWN
            return EnvironmentRead(name, not has_default, module, node.lineno, value)
        return None

    def _find_helper(self, called: str, module: Module) -> "_Helper | None":
        """Return the project's own function that an expression calls to read a variable, such as get_env("NAME")."""
        if called not in self._helpers:
            self._helpers[called] = None  # a function that calls itself
            target = self.imports(module).get(called, "")
            home, _, name = target.rpartition(".") if target else ("", "", called)
            code = self.modules.find(home) if home else module
            functions = [node for node in code.tree.body if isinstance(node, ast.FunctionDef)] if code else []
            found = next((each for each in functions if each.name == name and each.args.args), None)
            self._helpers[called] = self._describe_helper(found, code) if found and code else None
        return self._helpers[called]

    def _describe_helper(self, function: ast.FunctionDef, module: Module) -> "_Helper | None":
        """Return what a function does with the variable that its first parameter names; None where it reads none."""
        parameter = function.args.args[0].arg
        is_read = is_strict = False
        for node in ast.walk(function):
            key = node.slice if isinstance(node, ast.Subscript) else None
            if isinstance(node, ast.Call) and node.args:
                key = node.args[0]
            if not (isinstance(key, ast.Name) and key.id == parameter):
                continue
            if isinstance(node, ast.Subscript):
                if dotted_name(node.value) in {"os.environ", "environ"}:
                    is_read = is_strict = True
            elif isinstance(node, ast.Call):
                called = called_name(node)
                is_object = self._is_environment_object(called.split(".")[0], module)
                is_read |= is_object or called in ENVIRONMENT_FUNCTIONS
                is_strict |= is_object and len(node.args) == 1 and not node.keywords
        has_default = bool(function.args.defaults)
        raises = any(isinstance(node, ast.Raise) for node in ast.walk(function))
        return _Helper(is_required=(is_strict or raises) and not has_default) if is_read else None

    def _is_environment_object(self, name: str, module: Module) -> bool:
        imported = self.imports(module).get(name, "")
        if imported.split(".")[0] in ENVIRONMENT_PACKAGES and not imported.endswith((".Env", ".Csv")):
            return imported.rpartition(".")[2] in {"config", "env"}
        assignment = self.last(name)
        if assignment is None or not isinstance(assignment.value, ast.Call):
            return False
        source = called_name(assignment.value).split(".")[0]
        return self.imports(assignment.module).get(source, "").split(".")[0] in ENVIRONMENT_PACKAGES

    def _has_declared_default(self, env: str, name: str) -> bool:
        """Return whether django-environ's Env(NAME=(type, default)) gives the variable a default."""
        assignment = self.last(env)
        call = assignment.value if assignment else None
        return isinstance(call, ast.Call) and any(
            keyword.arg == name and isinstance(keyword.value, ast.Tuple) for keyword in call.keywords
        )

    def environment_reads(self, node: ast.AST, module: Module, depth: int = 0) -> Iterator[EnvironmentRead]:
        """Yield the environment variables on which an expression depends, also by way of other names."""
        if depth > MAX_DEPTH:
            return
        for part in ast.walk(node):
            read = self.environment_read(part, module)
            if read:
                yield read
            elif isinstance(part, ast.Name) and (assignment := self.last(part.id)) and assignment.value is not node:
                yield from self.environment_reads(assignment.value, assignment.module, depth + 1)

    def reads_of(self, name: str) -> list[EnvironmentRead]:
        """Return the environment variables on which a setting depends."""
        assignment = self.last(name)
        return list(self.environment_reads(assignment.value, assignment.module)) if assignment else []

    def required_variables(self) -> list[EnvironmentRead]:
        """Return the variables without which the settings cannot be imported, each once."""
        found: dict[str, EnvironmentRead] = {}
        for module in self.read_modules:
            for statement, is_conditional in top_level(module):
                if is_conditional or isinstance(
                    statement, ast.FunctionDef | ast.ClassDef | ast.If | ast.Try | ast.With
                ):
                    continue
                for part in ast.walk(statement):
                    read = self.environment_read(part, module)
                    if read and read.is_required:
                        found.setdefault(read.name, read)
        return list(found.values())

    def imports(self, module: Module) -> dict[str, str]:
        """Return what the names that a module imports mean."""
        if module.path not in self._imports:
            self._imports[module.path] = self.modules.imported_names(module)
        return self._imports[module.path]


def _combine(left: Any, operator: ast.operator, right: Any) -> Any:
    if left is UNKNOWN or right is UNKNOWN:
        return UNKNOWN
    if isinstance(operator, ast.Div) and isinstance(left, Path) and isinstance(right, str | Path):
        return left / right
    if isinstance(operator, ast.Add) and isinstance(left, list) and isinstance(right, list):
        return left + right
    if isinstance(operator, ast.Add) and isinstance(left, str) == isinstance(right, str):
        try:
            return left + right
        except TypeError:
            return UNKNOWN
    return UNKNOWN


def read_settings(modules: Modules, name: str) -> Settings | None:
    """Return the settings of the module of this name, or None if the project has no such module.

    Raises:
        OSError: a file cannot be read.
    """
    module = modules.find(name)
    if module is None:
        return None
    settings = Settings(modules, name)
    _read_module(settings, module, is_conditional=False)
    return settings


def _read_module(settings: Settings, module: Module, *, is_conditional: bool) -> None:
    if module in settings.read_modules:
        return
    settings.read_modules.append(module)
    for statement, may_be_skipped in top_level(module):
        if isinstance(statement, ast.ImportFrom):
            source = settings.modules.resolve_import(module, statement)
            for alias in statement.names:
                if alias.name == "*":
                    imported = settings.modules.find(source)
                    if imported:
                        _read_module(settings, imported, is_conditional=is_conditional or may_be_skipped)
        for name, value in _assigned(settings, module, statement):
            assignment = Assignment(name, value, module, is_conditional or may_be_skipped)
            settings.assignments.setdefault(name, []).append(assignment)


def _assigned(settings: Settings, module: Module, statement: ast.stmt) -> Iterator[tuple[str, ast.expr]]:
    if isinstance(statement, ast.Assign):
        for target in statement.targets:
            if isinstance(target, ast.Name):
                yield target.id, statement.value
    elif isinstance(statement, ast.AnnAssign) and isinstance(statement.target, ast.Name) and statement.value:
        yield statement.target.id, statement.value
    elif isinstance(statement, ast.AugAssign) and isinstance(statement.target, ast.Name):
        yield statement.target.id, _sum(settings, module, statement.target.id, statement.value)
    elif isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Call):  # INSTALLED_APPS.append("chat")
        call = statement.value
        name, _, method = called_name(call).rpartition(".")
        if name.isidentifier() and call.args and method in {"append", "insert", "extend"}:
            added = call.args[-1]
            entries = added if method == "extend" else ast.copy_location(ast.List([added], ast.Load()), added)
            yield name, _sum(settings, module, name, entries)


def _sum(settings: Settings, module: Module, name: str, added: ast.expr) -> ast.expr:
    """Return what a name has after an addition. What another module gave it keeps its place there."""
    before = settings.last(name)
    if before is None or before.module is not module:
        return added
    return ast.copy_location(ast.BinOp(before.value, ast.Add(), added), added)
