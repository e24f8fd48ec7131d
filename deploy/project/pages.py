"""The addresses of a project's pages, found in its URL configuration."""

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from deploy.project.python import Module, Modules, called_name, dotted_name, string_value
from deploy.project.routes import ROUTE_FUNCTIONS, SocketRoute, sample_of, text_parameters

ROOM = "lobby"  # the name of a room that a visitor would choose
MAX_DEPTH = 8  # URL configurations that include others
NOT_A_HOME = re.compile(
    r"admin|logout|sign_?out|api|media|static|token|webhook|debug|health|silk|schema", re.IGNORECASE
)


@dataclass(frozen=True)
class PageRoute:
    """A route to a view. `pattern` has no slash in front."""

    pattern: str
    is_regular_expression: bool
    target: str
    """The source of the expression that names the view."""
    path: Path
    line: int

    @property
    def has_parameters(self) -> bool:
        """Whether the address has a part that varies."""
        return bool(re.search(r"[<\[(*+{|]|\\[dw]", self.pattern))

    @property
    def address(self) -> str:
        """The address of a route without parameters."""
        return "/" + re.sub(r"[\^$?\\]", "", self.pattern)

    def matches_top(self) -> bool:
        """Whether the route answers GET /."""
        if not self.is_regular_expression:
            return not self.pattern or bool(re.fullmatch(r"<path:\w+>", self.pattern))
        try:
            return re.search(self.pattern.replace("^", ""), "") is not None and not re.search(
                r"^\^?[\w/-]+(?!\?)", self.pattern.replace("$", "")
            )
        except re.error:
            return False


def find_pages(modules: Modules, urlconf: str) -> list[PageRoute]:
    """Return the routes of a URL configuration, with those of the configurations that it includes."""
    module = modules.find(urlconf)
    return list(_routes_of(modules, module, "", 0)) if module else []


def find_home(pages: list[PageRoute], sockets: list[SocketRoute]) -> str:
    """Return where a visitor begins: "/" where that is a page, else the first page without parameters.

    Where every page has parameters, it is one whose parameters the visitor chooses, as the name of a room: a socket has
    the same ones, and takes any text.
    """
    if not pages or any(page.matches_top() for page in pages):
        return "/"
    useful = [page for page in pages if not NOT_A_HOME.search(page.pattern) and not NOT_A_HOME.search(page.target)]
    for page in useful:
        if not page.has_parameters:
            return page.address
    chosen = {frozenset(socket.text_parameters) for socket in sockets}
    for page in useful:
        names = text_parameters(page.pattern)
        if names and frozenset(names) in chosen:
            return "/" + sample_of(page.pattern, is_regular_expression=page.is_regular_expression, text=ROOM)
    return "/"


def _routes_of(modules: Modules, module: Module, prefix: str, depth: int) -> Iterator[PageRoute]:
    for statement in module.tree.body:
        target = None
        if isinstance(statement, ast.Assign):
            target = statement.targets[0]
        elif isinstance(statement, ast.AugAssign | ast.AnnAssign):
            target = statement.target
        value = getattr(statement, "value", None)
        if isinstance(target, ast.Name) and "urlpatterns" in target.id and "websocket" not in target.id and value:
            yield from _routes_in(modules, module, value, prefix, depth)


def _routes_in(modules: Modules, module: Module, node: ast.AST, prefix: str, depth: int) -> Iterator[PageRoute]:
    if depth > MAX_DEPTH:
        return
    if isinstance(node, ast.Call):
        name = called_name(node).rpartition(".")[2]
        pattern = string_value(node.args[0]) if node.args else None
        if isinstance(node.args[0] if node.args else None, ast.Call) and node.args:  # path(_("about/"), ...)
            pattern = string_value(node.args[0].args[0]) if node.args[0].args else None  # type: ignore[attr-defined]
        if name in ROUTE_FUNCTIONS and len(node.args) > 1 and pattern is not None:
            is_expression = name != "path"
            whole = prefix + (pattern.removeprefix("^") if prefix else pattern)
            yield from _route(modules, module, node, whole, is_expression, depth)
            return
        if name == "i18n_patterns":  # LocaleMiddleware redirects / to the language's own page
            yield PageRoute("", False, name, module.path, node.lineno)
    for child in ast.iter_child_nodes(node):
        yield from _routes_in(modules, module, child, prefix, depth)


def _route(
    modules: Modules, module: Module, node: ast.Call, pattern: str, is_expression: bool, depth: int
) -> Iterator[PageRoute]:
    target = node.args[1]
    if isinstance(target, ast.Call) and called_name(target).rpartition(".")[2] == "include" and target.args:
        included = target.args[0]
        if isinstance(included, ast.Tuple) and included.elts:
            included = included.elts[0]
        name = string_value(included) or modules.imported_names(module).get(dotted_name(included), "")
        other = modules.find(name)
        inner = pattern.removesuffix("$")
        if other:
            yield from _routes_of(modules, other, inner, depth + 1)
        elif isinstance(included, ast.List):
            yield from _routes_in(modules, module, included, inner, depth + 1)
        elif inner:  # the URLs of a package, whose pages nobody knows here
            yield PageRoute(inner + "<package>", False, ast.unparse(included), module.path, node.lineno)
        return
    yield PageRoute(pattern, is_expression, ast.unparse(target), module.path, node.lineno)
