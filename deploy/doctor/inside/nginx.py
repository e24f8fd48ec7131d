"""nginx's configuration as nginx itself reads it: `nginx -T`, with the file and the line of every directive."""

import re
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from fnmatch import fnmatch
from pathlib import PurePosixPath

TOKEN = re.compile(
    r"""\s*(?:(#[^\n]*)|([;{}])|("(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*')|((?:\\.|\$\{[^}]*\}|[^\s;{}"'])+))"""
)

NAME = re.compile(r"(?=.*[A-Za-z])[\w.-]+")  # and no address, no variable


@dataclass
class Directive:
    name: str
    args: list[str]
    where: str
    """file:line"""
    block: "list[Directive] | None" = None

    def all(self, name: str) -> "list[Directive]":
        """Those of this name directly in the block."""
        return [one for one in self.block or [] if one.name == name]

    def walk(self) -> "Iterator[Directive]":
        for one in self.block or []:
            yield one
            yield from one.walk()


@dataclass
class Nginx:
    root: Directive
    socket_location: Directive | None = None
    """Where the sockets' path ends up, and the blocks around it."""
    around: list[Directive] = field(default_factory=list)

    def effective(self, name: str) -> list[Directive]:
        """Those that hold at the sockets' location: as nginx inherits, all of the innermost level that has any."""
        for level in [self.socket_location, *reversed(self.around)]:
            if level and (found := level.all(name)):
                return found
        return []

    def header(self, name: str) -> Directive | None:
        """The proxy_set_header of this name that holds at the sockets' location."""
        found = [one for one in self.effective("proxy_set_header") if one.args[0].lower() == name.lower()]
        return found[-1] if found else None

    @property
    def upstreams(self) -> list[str]:
        """Addresses behind the sockets' location: paths of unix sockets, or host:port."""
        passed = self.effective("proxy_pass")
        if not passed:
            return []
        _, _, rest = passed[0].args[0].partition("://")
        name = self.variable(rest.removeprefix("unix:") if rest.startswith("unix:") else rest.split("/")[0])
        if rest.startswith("unix:"):
            return [rest.removeprefix("unix:").split(":")[0]]
        for group in self.root.walk():
            if group.name == "upstream" and group.args == [name]:
                return [server.args[0].removeprefix("unix:") for server in group.all("server")]
        return [name]

    @property
    def names(self) -> set[str]:
        """Hosts by name behind any location or upstream group: those of containers, mostly."""
        groups = {one.args[0]: one for one in self.root.walk() if one.name == "upstream" and one.args}
        passed = [one.args[0] for one in self.root.walk() if one.name == "proxy_pass"]
        found = [self.variable(to.partition("://")[2].split("/")[0]) for to in passed]
        found += [server.args[0] for group in groups.values() for server in group.all("server")]
        hosts = {to.rpartition(":")[0] or to for to in found if to not in groups and not to.startswith("unix:")}
        return {host for host in hosts if NAME.fullmatch(host)}

    def variable(self, text: str) -> str:
        """The default of the map that a variable comes from."""
        for one in self.root.walk():
            if text.startswith("$") and one.name == "map" and one.args[-1] == text:
                for line in one.block or []:
                    if line.name == "default" and line.args:
                        return line.args[0]
        return text

    @property
    def user(self) -> str:
        found = self.root.all("user")
        return found[0].args[0] if found else "nobody"


def read(dump: str, host: str, path: str) -> Nginx:
    """Of what `nginx -T` printed. Raises ValueError when there is no configuration in it."""
    parts = re.split(r"^# configuration file (.+):\n", dump, flags=re.MULTILINE)
    files = dict(zip(parts[1::2], parts[2::2], strict=True))
    if not files:
        raise ValueError("nginx -T printed no configuration")
    main = next(iter(files))
    root = Directive("", [], main, list(parse(files, main, str(PurePosixPath(main).parent))))
    nginx = Nginx(root)
    find(nginx, host, path)
    return nginx


def parse(files: dict[str, str], name: str, folder: str) -> Iterator[Directive]:
    """The directives of a file, those of included files in their place."""
    stack: list[list[Directive]] = [[]]
    words: list[tuple[str, int]] = []
    text, place = files.get(name, ""), 0
    while match := TOKEN.match(text, place):
        place = match.end()
        comment, mark, quoted, bare = match.groups()
        if comment:
            continue
        if mark is None:
            line = text.count("\n", 0, match.end()) + 1
            words.append((quoted[1:-1] if quoted else bare, line))
            continue
        if mark == "}":
            stack.pop()
            continue
        if not words:
            continue
        (head, line), args = words[0], [word for word, _ in words[1:]]
        words = []
        if mark == ";" and head == "include":
            pattern = str(PurePosixPath(folder, args[0]))
            for other in [other for other in files if fnmatch(other, pattern)]:
                stack[-1] += parse(files, other, folder)
            continue
        made = Directive(head, args, f"{name}:{line}", [] if mark == "{" else None)
        stack[-1].append(made)
        if made.block is not None:
            stack.append(made.block)
    yield from stack[0]


def find(nginx: Nginx, host: str, path: str) -> None:
    """The location with the longest prefix, of the server that has the name; of any server else."""
    best = -1
    for http in nginx.root.all("http"):
        for server in http.all("server"):
            named = any(host in one.args for one in server.all("server_name"))
            for location in server.all("location"):
                prefix = location.args[-1]
                if not matches(location, path):
                    continue
                location = fallback(server, location)  # noqa: PLW2901
                proxied = bool(location.all("proxy_pass"))
                score = len(prefix) + 1000 * named + 500 * proxied
                if score > best:
                    best, nginx.socket_location, nginx.around = score, location, [nginx.root, http, server]


def matches(location: Directive, path: str) -> bool:
    kind, wanted = location.args[0], location.args[-1]
    if kind in ("~", "~*"):
        with suppress(re.error):  # of another dialect than Python's
            return bool(re.search(wanted, path, re.IGNORECASE if kind == "~*" else 0))
        return False
    return path == wanted if kind == "=" else path.startswith(wanted)


def fallback(server: Directive, location: Directive) -> Directive:
    """The @named location to which try_files hands on what is no file."""
    for tried in location.all("try_files"):
        for other in server.all("location"):
            if other.args == tried.args[-1:]:
                return other
    return location
