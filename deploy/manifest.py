"""The manifest `stack.toml`: what the stack knows of a project. Every tool reads it with `read_manifest`.

deploy/stack.example.toml documents every field; a test keeps it equal to the types here.
"""

import re
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from deploy.manifest_rules import HANDSHAKE_STATUS
from deploy.manifest_values import Conversion, Problem, name_of, nested_fields, quote
from deploy.toml_lines import KeyPath, locate_values

MANIFEST_NAME = "stack.toml"


class WrongManifest(Exception):
    """The manifest cannot be used. `problems` has one sentence for each wrong field, with its place in the file."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems


class NoManifest(WrongManifest):
    """The folder has no stack.toml."""


@dataclass(frozen=True)
class EnvironmentNames:
    """[env]: the environment variables by which the project itself reads what the stack knows; "" where it has none.

    Where a name is given, the stack sets that variable and leaves the project's own setting as it is. Otherwise the
    overlay sets the setting.
    """

    hosts: str = ""
    """Gets the host names, separated by commas: for ALLOWED_HOSTS."""
    url: str = ""
    """Gets the address of the site, such as https://chat.example.org."""
    redis: str = ""
    """Gets the redis:// or unix:// address: for CHANNEL_LAYERS and CACHES."""
    database: str = ""
    """Gets the address of the database, such as postgres://name@//run/postgresql/name: for DATABASES."""
    secret: str = ""
    """Gets the secret key: for SECRET_KEY."""


@dataclass(frozen=True)
class Command:
    """A command of the project and the folder, relative to `source`, in which it runs ("" is `root`)."""

    run: str
    folder: str = ""


@dataclass(frozen=True)
class Probe:
    """An address that must answer with `status` before a release serves. 101: a WebSocket handshake."""

    path: str
    status: int = 200
    signed_in: bool = False
    """Whether it is asked as a user, by the application itself, when the release is prepared."""


@dataclass(frozen=True)
class Process:
    """[processes.NAME]: a program that runs beside the servers, such as a Celery worker."""

    run: str
    folder: str = ""
    stop_seconds: int = 30
    """Seconds between SIGTERM and SIGKILL, in which the process finishes its work."""


@dataclass(frozen=True)
class Timer:
    """[timers.NAME]: a command that runs again and again. `calendar` is systemd's OnCalendar."""

    run: str
    calendar: str
    folder: str = ""


@dataclass(frozen=True)
class DoctorOptions:
    """[doctor]: how a handshake with the project's sockets has to look."""

    subprotocol: str = ""
    origin: str = ""
    cookie: str = ""


@dataclass(frozen=True)
class LoadOptions:
    """[load]: what the load test sends to a socket. "{text}" in `message` stands for the text of a message."""

    path: str = ""
    message: str = ""


@dataclass(frozen=True)
class Manifest:
    """What `stack.toml` says, completed by what was found in the project: see deploy/stack.example.toml."""

    name: str
    folder: Path
    """The folder of the manifest."""
    address: str = ""
    """Where the project comes from if that is no folder: its git address without the commit, or its archive's path."""
    domain: str = ""
    source: str = ""
    root: str = "."
    settings: str = ""
    asgi: str = ""
    wsgi: str = ""
    python: str = ""
    requirements: tuple[str, ...] = ()
    packages: tuple[str, ...] = ()
    pins: Literal["project", "stack"] = "project"
    exclude_newer: str = ""
    env: EnvironmentNames = EnvironmentNames()
    variables: dict[str, str] = field(default_factory=dict)
    secrets: tuple[str, ...] = ()
    database: Literal["postgres", "sqlite", "own"] = "postgres"
    media: bool = True
    upload_size: str = "10m"
    websocket: Literal["upgrade"] | tuple[str, ...] = "upgrade"
    asgi_http: Literal["all"] | tuple[str, ...] = ()
    ports: tuple[int, ...] = ()
    origin_check: bool = True
    upgrade_insecure_requests: bool = True
    network: bool = False
    processes: dict[str, Process] = field(default_factory=dict)
    timers: dict[str, Timer] = field(default_factory=dict)
    build: tuple[Command, ...] = ()
    release: tuple[Command, ...] = ()
    probe: str = ""
    probes: tuple[Probe, ...] = ()
    home: str = "/"
    doctor: DoctorOptions = DoctorOptions()
    load: LoadOptions = LoadOptions()
    needs_postgresql: bool = False
    """Whether the command `run` needs PostgreSQL too: stack.toml names it, or the project works with nothing else."""


SET_BY_THE_TOOLS = frozenset({"folder", "address", "needs_postgresql"})
TOML_PLACE = re.compile(r" \((?:at line (\d+), column \d+|at end of document)\)$")
TOML_SENTENCES = (
    (re.compile(r"Cannot overwrite a value"), "{key} is set twice"),
    (re.compile(r"Cannot (?:declare|mutate) .* twice|Cannot mutate immutable namespace .*"), "{key} is set twice"),
)


def read_manifest(folder: Path) -> Manifest:
    """Read stack.toml of a folder. Fields that it leaves out have their defaults: `discovery.complete` finds the rest.

    Args:
        folder: the folder of stack.toml, or a file in its format.

    Raises:
        NoManifest: there is no such file.
        WrongManifest: the file cannot be read, or a field is unknown or wrong.
    """
    path = folder if folder.is_file() else folder / MANIFEST_NAME
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise NoManifest([f"There is no {MANIFEST_NAME} in {folder}"]) from None
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it must be in UTF-8"
        raise WrongManifest([f"{path} cannot be read: {reason}"]) from None
    return parse_manifest(text, path)


def parse_manifest(text: str, path: Path) -> Manifest:
    """Return the manifest of this text. `path` is where the text stands, and names the places of problems.

    Raises:
        WrongManifest: the text is not TOML, or a field is unknown or wrong.
    """
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise WrongManifest([_describe_syntax_error(error, text, path.name)]) from None
    conversion = Conversion(hidden_fields=SET_BY_THE_TOOLS)
    arguments = conversion.convert_table(Manifest, document, ())
    problems = [_explain_table(problem) for problem in conversion.problems]
    if not problems:
        names_postgresql = document.get("database") == "postgres"
        manifest = Manifest(folder=path.parent.absolute(), needs_postgresql=names_postgresql, **arguments)
        problems = list(_find_conflicts(manifest))
        if not problems:
            return manifest
    lines = locate_values(text)
    placed = sorted((_line_of(place, lines), sentence) for place, sentence in problems)
    raise WrongManifest([f"{path.name}:{line}: {sentence}" for line, sentence in placed])


def _describe_syntax_error(error: tomllib.TOMLDecodeError, text: str, name: str) -> str:
    """Return the place and the sentence of an error of tomllib."""
    message = str(error)
    place = TOML_PLACE.search(message)
    line = int(place[1]) if place and place[1] else max(1, len(text.rstrip().splitlines()))
    sentence = TOML_PLACE.sub("", message)
    source_lines = text.splitlines()
    key = source_lines[line - 1].split("=")[0].strip() if line <= len(source_lines) else ""
    for pattern, plain in TOML_SENTENCES:
        if pattern.fullmatch(sentence):
            return f"{name}:{line}: {plain.format(key=key)}"
    return f"{name}:{line}: this is not TOML: {sentence[:1].lower()}{sentence[1:]}"


def _explain_table(problem: Problem) -> Problem:
    """Say where a field belongs that stands in the wrong table: TOML has no end of a table but the next one."""
    path, sentence = problem
    if not sentence.startswith("unknown field") or not isinstance(path[-1], str):
        return problem
    key = path[-1]
    if len(path) > 1 and key in Manifest.__dataclass_fields__ and key not in SET_BY_THE_TOOLS:
        return path, f"unknown field {quote(name_of(path))}; {quote(key)} belongs above the first table"
    tables = [table for table, name in nested_fields(Manifest) if name == key]
    if len(path) == 1 and tables:
        return path, f"unknown field {quote(key)}; it belongs into the table [{'] or ['.join(tables)}]"
    return problem


def _find_conflicts(manifest: Manifest) -> Iterator[Problem]:
    """Yield what is wrong with fields that are right alone."""
    if manifest.websocket == ():
        yield ("websocket",), 'websocket must be "upgrade" or at least one path'
    for position, probe in enumerate(manifest.probes):
        if probe.signed_in and probe.status == HANDSHAKE_STATUS:
            yield ("probes", position), f"probes[{position}] is a handshake, which is asked without a session only"
    owners: dict[str, str] = {}
    names: list[tuple[KeyPath, str]] = [(("env", key), name) for key, name in vars(manifest.env).items() if name]
    names += [(("variables", name), name) for name in manifest.variables]
    names += [(("secrets", position), name) for position, name in enumerate(manifest.secrets)]
    for path, name in names:
        if name in owners:
            yield path, f"{name_of(path)} sets {name}, which {owners[name]} sets as well"
        owners.setdefault(name, name_of(path))
    for path, name in names:
        if path[0] != "env" and name in STACK_SECRETS:
            yield path, f"{name_of(path)} sets {name}, which the stack sets itself"
    for name in manifest.timers:
        if name in manifest.processes:
            yield ("timers", name), f"timers.{name} has the name of a process; choose another"


KEY_SECRETS = ("SECRET_KEY", "SECRET_KEY_FALLBACKS", "SESSION_HASH_KEY")  # see deploy/secret_keys.py
STACK_SECRETS = frozenset({*KEY_SECRETS, "DATABASE_URL"})


def _line_of(path: KeyPath, lines: dict[KeyPath, int]) -> int:
    """Return the line of a value, or of what contains it: a missing field has no line of its own."""
    while path and path not in lines:
        path = path[:-1]
    return lines.get(path, 1)
