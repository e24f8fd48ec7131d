"""The routes of a project, found in its syntax trees. channels_stack walks the real ones when the project runs."""

import ast
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from deploy.project.python import Module, Modules, called_name, dotted_name, string_value

ROUTE_FUNCTIONS = frozenset({"path", "re_path", "url"})
CONVERTER = re.compile(r"<(?:(?P<converter>\w+):)?(?P<name>\w+)>")
CONVERTER_SAMPLES = {"int": "1", "uuid": "00000000-0000-4000-8000-000000000000"}
SAMPLE_TEXT = "probe"
ANY_TEXT = ""
"""Stands in CLASS_SAMPLES for a text of any kind."""
GROUP = re.compile(r"\((?:\?P<\w+>|\?:)?(?P<body>(?:\\.|\[[^\]]*\]|[^()\\\[])*)\)[+*?]?")
NAMED_GROUP = re.compile(r"\(\?P<(?P<name>\w+)>(?P<body>(?:\[[^\]]*\]|[^()])*)\)")
TEXT_BODY = re.compile(r"(?:\\w|\.|\[\^?/\]|\[[^\]]*\\w[^\]]*\])[+*]\??|\[[^\]]*a-z[^\]]*\][+*]")
# A parameter of such a name is the key of something that is stored: not everyone can choose it.
KEY_NAME = re.compile(r"(?:^|_)(?:id|pk|uuid|uid|key|token|code|hash|user|username|slug)$|Id$|^id", re.IGNORECASE)
# Parts of a regular expression that stand for one character or several, and a text that they match.
CLASS_SAMPLES = (
    (re.compile(r"(?:\\d|\[0-9\])(?:[+*]|\{[^}]*\})?"), "1"),
    (re.compile(r"(?:\\w|\[(?:\\.|[^\]\\])*\]|\.)(?:[+*]\??|\{[^}]*\})"), ANY_TEXT),
    (re.compile(r"(?:\\w|\[(?:\\.|[^\]\\])*\])"), "p"),
)


@dataclass(frozen=True)
class SocketRoute:
    """A route that leads to a consumer."""

    pattern: str
    """As the project writes it, with what the routers around it add in front."""
    is_regular_expression: bool
    consumer: str
    """The name of the class in the source."""
    calls_as_asgi: bool
    """Whether it says .as_asgi(), which Channels 3 and later need."""
    path: Path
    line: int

    @property
    def text_parameters(self) -> tuple[str, ...]:
        """The names of its parameters, if all of them take any text."""
        return text_parameters(self.pattern)

    @property
    def sample(self) -> str:
        """A path of an address that the route should match: for a handshake. Patterns of the project may refuse it."""
        return f"/{sample_of(self.pattern, is_regular_expression=self.is_regular_expression)}"


def text_parameters(pattern: str) -> tuple[str, ...]:
    """Return the names of a pattern's parameters; nothing if one of them is a number or a key."""
    converted = [(match["name"], match["converter"] or "str") for match in CONVERTER.finditer(pattern)]
    grouped = [(match["name"], match["body"]) for match in NAMED_GROUP.finditer(pattern)]
    if any(converter not in {"str", "slug", "path"} for _, converter in converted):
        return ()
    if any(not TEXT_BODY.fullmatch(body) for _, body in grouped):
        return ()
    names = [name for name, _ in (*converted, *grouped)]
    return () if any(KEY_NAME.search(name) for name in names) else tuple(names)


def sample_of(pattern: str, *, is_regular_expression: bool, text: str = SAMPLE_TEXT) -> str:
    """Return an address that the pattern of a route probably matches, without the leading slash.

    Args:
        pattern: as the project writes it.
        is_regular_expression: whether it is one, or has converters such as <str:name>.
        text: stands where the pattern takes any text.
    """
    if not is_regular_expression:
        return CONVERTER.sub(lambda match: CONVERTER_SAMPLES.get(match["converter"], text), pattern).lstrip("/")
    sample = pattern.removeprefix("^").removesuffix("$").removesuffix(r"\Z")
    for _ in range(5):  # groups in groups
        sample, count = GROUP.subn(lambda match: match["body"].split("|")[0], sample)
        if not count:
            break
    sample = re.sub(r"/[?*]$", "/", sample)
    for expression, replacement in CLASS_SAMPLES:
        sample = expression.sub(text if replacement is ANY_TEXT else replacement, sample)
    return sample.replace("\\", "").replace("?", "").replace("^", "").replace("$", "").lstrip("/")


def find_socket_routes(modules: Modules, paths: Iterable[Path]) -> list[SocketRoute]:
    """Return the routes to consumers in these files, in the order of the files."""
    routes = []
    for path in paths:
        if path.suffix == ".py":
            module = modules.parse(path)
            routes += [route for node in module.tree.body for route in _routes_below(node, module, "")]
    return routes


def _routes_below(node: ast.AST, module: Module, prefix: str) -> Iterator[SocketRoute]:
    if isinstance(node, ast.Call) and called_name(node).rpartition(".")[2] in ROUTE_FUNCTIONS and len(node.args) > 1:
        pattern = string_value(node.args[0])
        if pattern is not None:
            is_expression = not called_name(node).endswith("path") or called_name(node).endswith("re_path")
            target = node.args[1]
            consumer = consumer_of(target)
            if consumer:
                yield SocketRoute(
                    prefix + pattern, is_expression, consumer, _calls_as_asgi(target), module.path, node.lineno
                )
            else:
                inner = prefix + (pattern.removeprefix("^") if is_expression else pattern)
                for argument in node.args[1:]:
                    yield from _routes_below(argument, module, inner)
            return
    for child in ast.iter_child_nodes(node):
        yield from _routes_below(child, module, prefix)


def _calls_as_asgi(target: ast.AST) -> bool:
    return any(isinstance(node, ast.Attribute) and node.attr == "as_asgi" for node in ast.walk(target))


def consumer_of(target: ast.AST) -> str:
    """Return the name of the consumer to which an expression in a route leads, or "" if it is a view."""
    if any(called_name(node).rpartition(".")[2] in ROUTE_FUNCTIONS for node in ast.walk(target)):
        return ""  # a router with routes of its own
    for node in ast.walk(target):
        if isinstance(node, ast.Attribute) and node.attr == "as_asgi":
            return dotted_name(node.value)
    name = dotted_name(target)
    if not name and isinstance(target, ast.Call):  # Middleware(Consumer)
        return next((found for argument in target.args if (found := consumer_of(argument))), "")
    last = name.rpartition(".")[2]
    return name if last.endswith(("Consumer", "consumer")) and "." not in last else ""


def calls_in(module: Module, *names: str) -> list[ast.Call]:
    """Return the calls of functions or classes with these last names, in a module."""
    return [
        node
        for node in ast.walk(module.tree)
        if isinstance(node, ast.Call) and called_name(node).rpartition(".")[2] in names
    ]
