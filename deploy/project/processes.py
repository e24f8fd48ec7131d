"""Programs that run beside the servers, and builds of browser code, as the files of a project name them."""

import configparser
import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import yaml

from deploy.project.python import read_text

COMPOSE_FILE = re.compile(r"(?:docker-)?compose(?:[.-][\w.-]+)?\.ya?ml")
PROCFILE_LINE = re.compile(r"(?P<name>[A-Za-z0-9_-]+):\s*(?P<command>\S.*)")
# Commands of servers and databases, which the stack replaces.
SERVER = re.compile(
    r"\b(?:daphne|gunicorn|uvicorn|hypercorn|uwsgi|runserver|runserver_plus|nginx|redis-server|postgres|mysqld|certbot)\b"
)
WORKER = re.compile(
    r"\b(?:celery|runworker|rqworker|rqscheduler|dramatiq|rundramatiq|run_huey|qcluster|db_worker|process_tasks)\b"
)
NODE_SERVER = re.compile(r"^\s*(?:node|nodemon|ts-node|bun|deno)\s+\S+")
# Folders for libraries that were copied with their own package.json.
LIBRARY_FOLDERS = frozenset({"static", "static_cdn", "staticfiles", "assets", "vendor", "vendors", "public", "plugins"})
NODE_SOCKET_PACKAGES = ("socket.io", "ws", "express", "sockjs", "faye")


# Tools that bundle with webpack 4, below these versions: its hashes need an algorithm that OpenSSL 3 refuses.
OLD_BUNDLERS = {"react-scripts": 5, "@vue/cli-service": 5, "webpack": 5}
OLD_OPENSSL = "env NODE_OPTIONS=--openssl-legacy-provider "
# Packages that are compiled with Python 2, below these versions.
NEEDS_PYTHON_2 = {"node-sass": 5}


@dataclass(frozen=True)
class FoundProcess:
    """A program that some file of the project starts beside the servers."""

    name: str
    command: str
    path: Path
    line: int
    folder: str = ""
    """Relative to the source, where the file says so."""


@dataclass(frozen=True)
class FrontendBuild:
    """A package.json with a script `build`."""

    folder: Path
    command: str
    has_lock_file: bool
    line: int
    """Of the script in package.json."""

    @property
    def old_bundler(self) -> str:
        """The package whose webpack needs the algorithms of OpenSSL 1; "" where there is none."""
        return find_older(self.folder / "package.json", OLD_BUNDLERS)

    @property
    def install_command(self) -> str:
        """The command that installs what the build needs. npx, which npm brings along, fetches other managers."""
        prefix = OLD_OPENSSL if self.old_bundler else ""  # a script `postinstall` may build
        if self._manager != "npm":
            return f"{prefix}{self._manager} install --frozen-lockfile"
        return f"{prefix}npm {'ci' if (self.folder / 'package-lock.json').is_file() else 'install'}"

    @property
    def build_command(self) -> str:
        """The command that builds."""
        return f"{OLD_OPENSSL if self.old_bundler else ''}{self._manager} run build"

    @property
    def _manager(self) -> str:
        """The command of the package manager whose lock file there is."""
        if (self.folder / "yarn.lock").is_file():
            return "npx --yes yarn@1"
        return "npx --yes pnpm@9" if (self.folder / "pnpm-lock.yaml").is_file() else "npm"


def find_older(path: Path, versions: dict[str, int]) -> str:
    """Return the first package that a package.json names with a major version below the given one; "" for none."""
    package = read_package(path)
    for kind in ("dependencies", "devDependencies"):
        named = package.get(kind)
        for name, version in named.items() if isinstance(named, dict) else ():
            major = re.match(r"[\^~=v]*(\d+)\.", str(version))
            if name in versions and major and int(major[1]) < versions[name]:
                return str(name)
    return ""


def find_processes(files: Iterable[Path]) -> list[FoundProcess]:
    """Return the programs beside the servers that Procfiles, compose files and supervisor's files start."""
    found: dict[str, FoundProcess] = {}
    for path in files:
        for process in _read_file(path):
            if is_extra_process(process.command):
                found.setdefault(_essence(process.command), process)
    return list(found.values())


def is_extra_process(command: str) -> bool:
    """Return whether the command starts a program that the stack does not already have."""
    return bool(WORKER.search(command) or (NODE_SERVER.match(command) and not SERVER.search(command)))


def _essence(command: str) -> str:
    """Return what two descriptions of the same process have in common."""
    match = re.search(r"(runworker|celery|node)\b(.*)", command)
    words = (match[2] if match else command).split()
    plain = [word for word in words if not word.startswith("-") and word not in {"info", "INFO", "debug", "DEBUG"}]
    return f"{match[1] if match else ''} {' '.join(plain)}"


def _read_file(path: Path) -> Iterator[FoundProcess]:
    name = path.name
    if name == "Procfile" or name.startswith("Procfile."):
        yield from _read_procfile(path)
    elif COMPOSE_FILE.fullmatch(name):
        yield from _read_compose(path)
    elif path.suffix in {".conf", ".ini"} and "supervisor" in str(path).lower():
        yield from _read_supervisor(path)


def _read_procfile(path: Path) -> Iterator[FoundProcess]:
    for number, line in enumerate(read_text(path).splitlines(), 1):
        match = PROCFILE_LINE.fullmatch(line.strip())
        if match and match["name"] not in {"web", "release"}:
            yield FoundProcess(match["name"], match["command"].strip(), path, number)


def _read_compose(path: Path) -> Iterator[FoundProcess]:
    text = read_text(path)
    try:
        document = yaml.safe_load(text)
    except yaml.YAMLError:
        return
    services = document.get("services") if isinstance(document, dict) else None
    for name, service in services.items() if isinstance(services, dict) else ():
        command = service.get("command") if isinstance(service, dict) else None
        if isinstance(command, list):
            command = " ".join(map(str, command))
        if isinstance(command, str) and command.strip():
            for part in re.split(r"\s*&&\s*|\s*;\s*", _without_shell(" ".join(command.split()))):
                yield FoundProcess(str(name), part.strip(), path, _line_of(text, rf"^\s+['\"]?{re.escape(str(name))}"))


def _without_shell(command: str) -> str:
    match = re.fullmatch(r"(?:/bin/)?(?:ba)?sh -c [\"']?(.*?)[\"']?", command)
    return match[1] if match else command


def _read_supervisor(path: Path) -> Iterator[FoundProcess]:
    parser = configparser.RawConfigParser(strict=False, allow_no_value=True)
    text = read_text(path)
    try:
        parser.read_string(text)
    except configparser.Error:
        return
    for section in parser.sections():
        command = parser.get(section, "command", fallback=None)
        if section.startswith(("program:", "fcgi-program:")) and command:
            line = _line_of(text, rf"^\[{re.escape(section)}\]")
            yield FoundProcess(section.partition(":")[2], " ".join(command.split()), path, line)


def _line_of(text: str, pattern: str) -> int:
    match = re.search(pattern, text, re.MULTILINE)
    return text.count("\n", 0, match.start()) + 1 + match[0].count("\n") if match else 1


def find_frontends(files: Iterable[Path], source: Path) -> list[FrontendBuild]:
    """Return the folders below `source` whose package.json has a script `build`."""
    found = []
    for path in files:
        if LIBRARY_FOLDERS & set(path.relative_to(source).parts[:-1]):
            continue
        package = read_package(path)
        scripts = package.get("scripts")
        if isinstance(scripts, dict) and isinstance(scripts.get("build"), str):
            lock_files = ("package-lock.json", "yarn.lock", "pnpm-lock.yaml", "npm-shrinkwrap.json")
            has_lock_file = any((path.parent / name).is_file() for name in lock_files)
            line = _line_of(read_text(path), r'"build"\s*:')
            found.append(FrontendBuild(path.parent, scripts["build"], has_lock_file, line))
    return found


def find_node_servers(files: Iterable[Path]) -> list[FoundProcess]:
    """Return the servers of Node.js: a package.json without a browser build that needs a server's package."""
    found = []
    for path in files:
        package = read_package(path)
        dependencies = package.get("dependencies")
        scripts = package.get("scripts")
        if not isinstance(dependencies, dict) or (isinstance(scripts, dict) and "build" in scripts):
            continue
        needed = [name for name in NODE_SOCKET_PACKAGES if name in dependencies]
        if needed:
            start = scripts.get("start") if isinstance(scripts, dict) else None
            main = package.get("main") if isinstance(package.get("main"), str) else "index.js"
            line = _line_of(read_text(path), rf'"{re.escape(needed[0])}"\s*:')
            found.append(FoundProcess(path.parent.name, start or f"node {main}", path, line))
    return found


def read_package(path: Path) -> dict[str, object]:
    """Return the object in a package.json, and an empty one for any other file."""
    if path.name != "package.json":
        return {}
    try:
        package = json.loads(read_text(path))
    except ValueError:
        return {}
    return package if isinstance(package, dict) else {}
