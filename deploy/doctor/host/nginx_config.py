"""nginx's configuration as nginx itself reads it: the output of `nginx -T`, with file and line of every directive.

The library crossplane does not do this job: the doctor runs on hosts without any package, and crossplane reads files
and not the output of `nginx -T`, which is all there is when nginx runs in a container.
"""

import re
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from fnmatch import fnmatch
from pathlib import PurePosixPath

TOKEN = re.compile(
    r"""\s*(?:(#[^\n]*)|([;{}])|("(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*')|((?:\\.|\$\{[^}]*\}|[^\s;{}"'])+))"""
)
"""A comment, a mark that ends or nests directives, a quoted token, or a bare token."""

FILE_HEADER = re.compile(r"^# configuration file (.+):\n", re.MULTILINE)
HOST_NAME = re.compile(r"(?=.*[A-Za-z])[\w.-]+")  # neither an address nor a variable
DEFAULT_USER = "nobody"  # compiled into nginx
SCORE_OF_SERVER_NAME, SCORE_OF_PROXY_PASS = 1000, 500  # above the length of any path


@dataclass
class Directive:
    """A directive, with the directives of its block if it has one."""

    name: str
    args: list[str]
    where: str
    """FILE:LINE"""
    block: "list[Directive] | None" = None

    def children(self, name: str) -> "list[Directive]":
        """Return the directives of this name directly in the block."""
        return [directive for directive in self.block or [] if directive.name == name]

    def descendants(self) -> "Iterator[Directive]":
        """Yield all directives in the block and in the blocks below it."""
        for directive in self.block or []:
            yield directive
            yield from directive.descendants()


@dataclass
class NginxConfig:
    """The whole configuration, and the location that serves the WebSocket path."""

    root: Directive
    ws_location: Directive | None = None
    """The location that nginx chooses for the WebSocket path; None when no location matches."""
    enclosing_blocks: list[Directive] = field(default_factory=list)
    """The blocks around that location, from the outermost to the innermost."""

    def effective(self, name: str) -> list[Directive]:
        """Return the directives of this name that are in force at the WebSocket location.

        nginx inherits all of them from the innermost level that has any.
        """
        for block in [self.ws_location, *reversed(self.enclosing_blocks)]:
            if block and (found := block.children(name)):
                return found
        return []

    def effective_header(self, name: str) -> Directive | None:
        """Return the proxy_set_header of this header that is in force at the WebSocket location."""
        directives = self.effective("proxy_set_header")
        found = [directive for directive in directives if directive.args[0].lower() == name.lower()]
        return found[-1] if found else None

    @property
    def upstreams(self) -> list[str]:
        """The addresses to which the WebSocket location proxies: paths of unix sockets, or HOST:PORT."""
        proxy_pass = self.effective("proxy_pass")
        if not proxy_pass:
            return []
        _, _, rest = proxy_pass[0].args[0].partition("://")
        if rest.startswith("unix:"):
            return [rest.removeprefix("unix:").split(":")[0]]
        name = self.resolve_variable(rest.split("/")[0])
        for directive in self.root.descendants():
            if directive.name == "upstream" and directive.args == [name]:
                return [server.args[0].removeprefix("unix:") for server in directive.children("server")]
        return [name]

    @property
    def proxied_names(self) -> set[str]:
        """The host names to which any location or upstream group proxies: mostly those of containers."""
        directives = list(self.root.descendants())
        groups = {group.args[0]: group for group in directives if group.name == "upstream" and group.args}
        urls = [directive.args[0] for directive in directives if directive.name == "proxy_pass"]
        addresses = [self.resolve_variable(url.partition("://")[2].split("/")[0]) for url in urls]
        addresses += [server.args[0] for group in groups.values() for server in group.children("server")]
        names = {
            address.rpartition(":")[0] or address
            for address in addresses
            if address not in groups and not address.startswith("unix:")
        }
        return {name for name in names if HOST_NAME.fullmatch(name)}

    def resolve_variable(self, text: str) -> str:
        """Return the default of the map that sets this variable; the text itself when it is no such variable."""
        for directive in self.root.descendants():
            if text.startswith("$") and directive.name == "map" and directive.args[-1] == text:
                for line in directive.block or []:
                    if line.name == "default" and line.args:
                        return line.args[0]
        return text

    @property
    def user(self) -> str:
        """The account of nginx's workers."""
        found = self.root.children("user")
        return found[0].args[0] if found else DEFAULT_USER


def parse_dump(dump: str, host: str, ws_path: str) -> NginxConfig:
    """Return the configuration that `nginx -T` printed.

    Args:
        dump: the output of `nginx -T`.
        host: the site's name.
        ws_path: the WebSocket path, whose location is searched.

    Raises:
        ValueError: there is no configuration in the output.
    """
    parts = FILE_HEADER.split(dump)
    files = dict(zip(parts[1::2], parts[2::2], strict=True))
    if not files:
        raise ValueError("nginx -T printed no configuration")
    main_file = next(iter(files))
    directives = parse_file(files, main_file, str(PurePosixPath(main_file).parent))
    config = NginxConfig(Directive("", [], main_file, list(directives)))
    find_ws_location(config, host, ws_path)
    return config


def parse_file(files: dict[str, str], name: str, folder: str) -> Iterator[Directive]:
    """Yield the directives of a file, with those of included files in the place of the include.

    Args:
        files: path -> text of all files.
        name: the path of the file to parse.
        folder: the folder to which the paths of includes are relative.
    """
    open_blocks: list[list[Directive]] = [[]]
    tokens: list[tuple[str, int]] = []  # of the current directive, each with its line
    text, position = files.get(name, ""), 0
    while match := TOKEN.match(text, position):
        position = match.end()
        comment, mark, quoted, bare = match.groups()
        if comment:
            continue
        if mark is None:
            tokens.append((quoted[1:-1] if quoted else bare, text.count("\n", 0, match.end()) + 1))
            continue
        if mark == "}":
            open_blocks.pop()
            continue
        if not tokens:
            continue
        (directive_name, line), args = tokens[0], [token for token, _ in tokens[1:]]
        tokens = []
        if mark == ";" and directive_name == "include":
            pattern = str(PurePosixPath(folder, args[0]))
            for other in [other for other in files if fnmatch(other, pattern)]:
                open_blocks[-1] += parse_file(files, other, folder)
            continue
        directive = Directive(directive_name, args, f"{name}:{line}", [] if mark == "{" else None)
        open_blocks[-1].append(directive)
        if directive.block is not None:
            open_blocks.append(directive.block)
    yield from open_blocks[0]


def find_ws_location(config: NginxConfig, host: str, ws_path: str) -> None:
    """Set the location that serves the WebSocket path, with its enclosing blocks.

    It is the location with the longest matching prefix. A server block with the site's name is preferred, and a
    location that proxies.
    """
    best_score = -1
    for http in config.root.children("http"):
        for server in http.children("server"):
            has_name = any(host in directive.args for directive in server.children("server_name"))
            for candidate in server.children("location"):
                if not is_match(candidate, ws_path):
                    continue
                location = follow_upgrade(server) or follow_try_files(server, candidate)
                is_proxied = bool(location.children("proxy_pass"))
                prefix_length = len(candidate.args[-1])
                score = prefix_length + SCORE_OF_SERVER_NAME * has_name + SCORE_OF_PROXY_PASS * is_proxied
                if score > best_score:
                    best_score = score
                    config.ws_location, config.enclosing_blocks = location, [config.root, http, server]


def is_match(location: Directive, path: str) -> bool:
    """Whether a location matches this path: by prefix, exactly (=) or by regular expression (~ and ~*)."""
    kind, pattern = location.args[0], location.args[-1]
    if kind in ("~", "~*"):
        with suppress(re.error):  # nginx's dialect (PCRE) has more than Python's
            return bool(re.search(pattern, path, re.IGNORECASE if kind == "~*" else 0))
        return False
    return path == pattern if kind == "=" else path.startswith(pattern)


def follow_try_files(server: Directive, location: Directive) -> Directive:
    """Return the @named location to which try_files passes what is not a file; else the location itself."""
    for try_files in location.children("try_files"):
        for other in server.children("location"):
            if other.args == try_files.args[-1:]:
                return other
    return location


def follow_upgrade(server: Directive) -> Directive | None:
    """Return the @named location to which a server block sends every handshake, whatever its path is.

    The block returns a status where $http_upgrade is set, and the error page of that status is the location.

    Returns:
        The location, or None where the path decides.
    """
    for condition in server.children("if"):
        if not any("$http_upgrade" in word for word in condition.args):
            continue
        statuses = [returned.args[0] for returned in condition.children("return")]
        pages = [page.args for page in server.children("error_page") if set(page.args) & set(statuses)]
        for location in server.children("location"):
            if any(location.args == args[-1:] for args in pages):
                return location
    return None
