"""Finds in a project what its manifest does not say: where it starts, its settings, applications and packages.

Nothing is imported, so this works before any package of the project is installed.
"""

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path

from deploy.manifest import Manifest, WrongManifest
from deploy.project.files import walk
from deploy.project.pages import PageRoute, find_home, find_pages
from deploy.project.postgresql import PostgresqlUse, find_postgresql_uses
from deploy.project.processes import FoundProcess, FrontendBuild, find_frontends, find_node_servers, find_processes
from deploy.project.python import Module, Modules, called_name, string_value
from deploy.project.requirements import RequirementFiles, find_requirement_files
from deploy.project.routes import SocketRoute, find_socket_routes
from deploy.project.settings import UNKNOWN, Settings, read_settings
from deploy.source import open_source

SETTINGS_VARIABLE = "DJANGO_SETTINGS_MODULE"
PRODUCTION_NAMES = ("production", "prod", "live", "deploy", "deployment", "server")
DEVELOPMENT_NAMES = ("dev", "develop", "development", "local", "test", "testing", "tests", "ci", "debug")
TEST_PATH = re.compile(
    r"(?:^|/)(?:tests?|testing|load_?tests?|bench(?:marks?)?|conftest\.py|test_[^/]*\.py|[^/]*_tests?\.py|docs?)(?:/|$)"
)
MODULE_NAME = re.compile(r"[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)+", re.ASCII)
SETTING_ASSIGNED = re.compile(r"^\s*(?:INSTALLED_APPS|ROOT_URLCONF|DATABASES)\s*[:+]?=", re.MULTILINE)


@dataclass
class Discovery:
    """What the files of one project say. Paths of the manifest are relative to `source`."""

    source: Path
    files: tuple[Path, ...]
    roots: tuple[str, ...] = ()
    """Folders in which a project starts, the likeliest first."""
    root: str = "."
    settings: str = ""
    settings_candidates: tuple[str, ...] = ()
    asgi: str = ""
    wsgi: str = ""
    requirement_files: RequirementFiles = field(default_factory=RequirementFiles)
    notes: list[str] = field(default_factory=list)
    """Decisions that the owner may want to know: one sentence each."""
    problems: list[str] = field(default_factory=list)
    """What cannot be decided: one sentence each, with the candidates and the field that decides."""

    @cached_property
    def root_folder(self) -> Path:
        """The folder from which the project imports its modules."""
        return (self.source / self.root).resolve()

    @cached_property
    def modules(self) -> Modules:
        """The project's modules."""
        return Modules(self.root_folder)

    @cached_property
    def project_settings(self) -> Settings | None:
        """The settings, where they were found."""
        return read_settings(self.modules, self.settings) if self.settings else None

    @cached_property
    def code_files(self) -> list[Path]:
        """The modules below the root that run in production, without migrations and tests."""
        return [
            path
            for path in self.files
            if path.suffix == ".py" and path.is_relative_to(self.root_folder) and not self.is_test(path)
            if "migrations" not in path.parts
        ]

    @cached_property
    def site_files(self) -> list[Path]:
        """The files that are no tests and no documentation."""
        return [path for path in self.files if not self.is_test(path)]

    @cached_property
    def sockets(self) -> list[SocketRoute]:
        """The routes that lead to consumers."""
        return find_socket_routes(self.modules, self.code_files)

    @cached_property
    def postgresql_uses(self) -> list[PostgresqlUse]:
        """The lines of the code and of the migrations that work with PostgreSQL alone."""
        migrations = (
            path
            for path in self.files
            if path.suffix == ".py" and path.parent.name == "migrations" and path.is_relative_to(self.root_folder)
        )
        return find_postgresql_uses(self.modules, [*self.code_files, *migrations], self.project_settings)

    @cached_property
    def frontends(self) -> list[FrontendBuild]:
        """The builds of browser code."""
        return find_frontends(self.site_files, self.source)

    @cached_property
    def processes(self) -> list[FoundProcess]:
        """The programs that run beside the servers."""
        return [*find_processes(self.site_files), *find_node_servers(self.site_files)]

    @cached_property
    def pages(self) -> list[PageRoute]:
        """The routes to the project's pages."""
        urlconf = self.project_settings.value("ROOT_URLCONF") if self.project_settings else ""
        return find_pages(self.modules, urlconf) if isinstance(urlconf, str) else []

    @cached_property
    def home(self) -> str:
        """The address at which a visitor begins."""
        return find_home(self.pages, self.sockets)

    def is_test(self, path: Path) -> bool:
        """Return whether a file is a test, or documentation."""
        return bool(TEST_PATH.search(self.relative(path)))

    def relative(self, path: Path) -> str:
        """Return the path of a file as the owner knows it: from the folder of the project."""
        return path.relative_to(self.source).as_posix()


def complete(manifest: Manifest, source: Path | None = None) -> Manifest:
    """Fill what the manifest leaves out with what the project's files say.

    Args:
        manifest: as `read_manifest` returns it.
        source: the folder that holds the project, where it is known already. Otherwise `open_source` finds it.

    Raises:
        WrongSource: there is no such source.
        WrongManifest: something cannot be decided; each problem names the candidates and the field to set.
    """
    discovery = discover(source or open_source(manifest), manifest)
    if discovery.problems:
        raise WrongManifest(discovery.problems)
    return merge(manifest, discovery)


def merge(manifest: Manifest, discovery: Discovery) -> Manifest:
    """Return the manifest with the fields that it leaves out as they were discovered."""
    files = [discovery.relative(path) for path in discovery.requirement_files.chosen]
    routes = discovery.sockets
    env = manifest.env
    settings = discovery.project_settings
    if settings and not env.secret:
        secrets = [read.name for read in settings.reads_of("SECRET_KEY") if read.is_required]
        known = {*manifest.variables, *manifest.secrets, "SECRET_KEY"}
        if len(secrets) == 1 and secrets[0] not in known:
            env = replace(env, secret=secrets[0])
    return replace(
        manifest,
        root=discovery.root,
        settings=discovery.settings,
        asgi=discovery.asgi,
        wsgi=discovery.wsgi,
        requirements=manifest.requirements or tuple(files),
        env=env,
        home=manifest.home if manifest.home != "/" else discovery.home,
        probe=manifest.probe or (routes[0].sample if routes else ""),
        needs_postgresql=manifest.database == "postgres"
        and (manifest.needs_postgresql or bool(discovery.postgresql_uses)),
    )


def discover(source: Path, manifest: Manifest | None = None) -> Discovery:
    """Look through the files of a project. What the manifest says is taken as it is, and checked against the files.

    Raises:
        WrongManifest: there is no such folder.
    """
    source = source.resolve()
    if not source.is_dir():
        raise WrongManifest([f"{source} is not a folder"])
    found = Discovery(source, tuple(walk(source)))
    _find_root(found, manifest)
    if found.problems:
        return found
    _find_settings(found, manifest)
    if not found.problems:
        _find_asgi(found, manifest)
        _find_wsgi(found, manifest)
    _find_requirements(found, manifest)
    return found


def _find_root(found: Discovery, manifest: Manifest | None) -> None:
    starts = [path for path in found.files if path.name == "manage.py" and not found.is_test(path)]
    candidates = [path.parent for path in starts if "django" in path.read_text(errors="replace").lower()]
    if not candidates:  # a project without manage.py: where the package with settings and an entry module stands
        packages = {path.parent for path in found.files if path.name in {"wsgi.py", "asgi.py"}}
        candidates = sorted(package.parent for package in packages if (package / "settings.py").is_file())
    candidates = list(dict.fromkeys(sorted(candidates, key=lambda path: (not _uses_channels(path), len(path.parts)))))
    found.roots = tuple(found.relative(path) for path in candidates)
    if manifest and manifest.root != ".":
        found.root = manifest.root
        if not (found.source / manifest.root).is_dir():
            found.problems.append(f'root = "{manifest.root}": there is no such folder in {found.source}')
        return
    if not candidates:
        if not (manifest and manifest.settings):
            found.problems.append(f"There is no manage.py in {found.source}, so this is no Django project")
        return
    found.root = found.roots[0]
    if len(candidates) > 1 and "." not in found.roots:
        ranks = [(not _uses_channels(path), len(path.parts)) for path in candidates]
        if ranks[0] == ranks[1]:
            found.problems.append(
                f"{len(candidates)} folders have a manage.py: {', '.join(found.roots)}; name one of these folders "
                "instead, or set root in stack.toml"
            )
        else:
            found.notes.append(f"root is {found.root}; there is also a manage.py in {', '.join(found.roots[1:])}")


def _uses_channels(folder: Path) -> bool:
    """Return whether the modules one or two folders below name Channels: an example project may not."""
    for pattern in ("*/settings.py", "*/settings/*.py", "*/asgi.py", "*/routing.py", "*/*/asgi.py", "*/*/settings.py"):
        for path in folder.glob(pattern):
            if path.is_file() and b"channels" in path.read_bytes():
                return True
    return False


def _find_settings(found: Discovery, manifest: Manifest | None) -> None:
    named: dict[str, str] = {}  # module -> the file that names it
    entries = [path for path in found.files if path.is_relative_to(found.root_folder) and not found.is_test(path)]
    for name in ("manage.py", "asgi.py", "wsgi.py"):
        for path in sorted((path for path in entries if path.name == name), key=lambda path: len(path.parts)):
            if name == "manage.py" and path.parent != found.root_folder:
                continue
            for module in _default_settings(found.modules.parse(path)):
                if found.modules.find_file(module):
                    named.setdefault(module, found.relative(path))
    siblings = list(_production_siblings(found, list(named)))
    production = [module for module in [*named, *siblings] if module.rpartition(".")[2] in PRODUCTION_NAMES]
    if not named:
        production = [
            found.modules.name_of(path)
            for path in found.code_files
            if path.stem == "settings" and SETTING_ASSIGNED.search(path.read_text(errors="replace"))
        ]
    found.settings_candidates = tuple(dict.fromkeys([*production, *named, *siblings]))
    if manifest and manifest.settings:
        found.settings = manifest.settings
        if not found.modules.find_file(found.settings):
            choices = f"; found: {', '.join(found.settings_candidates)}" if found.settings_candidates else ""
            found.problems.append(f'settings = "{found.settings}": {found.root} has no such module{choices}')
        return
    if not found.settings_candidates:
        found.problems.append(f"No settings module was found in {found.root}; set settings to its name")
    elif not named and len(production) > 1:
        found.problems.append(f"{len(production)} modules may be the settings: {', '.join(production)}; set settings")
    else:
        found.settings = found.settings_candidates[0]
        others = [module for module in named if module != found.settings]
        if others:
            found.notes.append(
                f"settings is {found.settings}; {named[others[0]]} uses {others[0]}"
                + ("" if found.settings in named else f", but {found.settings} is for production")
            )


def _default_settings(module: Module) -> Iterator[str]:
    """Yield the settings modules that manage.py, asgi.py or wsgi.py names as its default."""
    for node in ast.walk(module.tree):
        if isinstance(node, ast.Call) and called_name(node).endswith("environ.setdefault") and len(node.args) > 1:
            if string_value(node.args[0]) == SETTINGS_VARIABLE:
                yield from _module_names(node.args[1])
        elif isinstance(node, ast.Assign) and any(
            isinstance(target, ast.Subscript) and string_value(target.slice) == SETTINGS_VARIABLE
            for target in node.targets
        ):
            yield from _module_names(node.value)
    if module.syntax_error:  # a manage.py for Python 2 still names its settings
        match = re.search(rf"{SETTINGS_VARIABLE}[\"'],\s*[\"']([\w.]+)[\"']", module.text)
        if match:
            yield match[1]


def _module_names(node: ast.AST) -> Iterator[str]:
    for part in ast.walk(node):
        text = string_value(part)
        if text and (MODULE_NAME.fullmatch(text) or text == "settings"):
            yield text


def _production_siblings(found: Discovery, named: list[str]) -> Iterator[str]:
    """Yield the modules for production beside modules that are named for development, such as config.settings.local."""
    for module in named:
        package, _, last = module.rpartition(".")
        bases = [package] if last in DEVELOPMENT_NAMES or last == "base" else []
        file = found.modules.find_file(module)
        if file and file.name == "__init__.py":
            bases.append(module)
        for base in bases:
            for name in PRODUCTION_NAMES:
                sibling = f"{base}.{name}" if base else name
                if found.modules.find_file(sibling):
                    yield sibling


def _find_asgi(found: Discovery, manifest: Manifest | None) -> None:
    settings = found.project_settings
    value = settings.value("ASGI_APPLICATION") if settings else UNKNOWN
    given = _with_colon(value) if isinstance(value, str) else ""
    if manifest and manifest.asgi:
        found.asgi = manifest.asgi
        if not found.modules.find_file(found.asgi.partition(":")[0]):
            found.problems.append(f'asgi = "{found.asgi}": {found.root} has no such module')
        return
    candidates = [given] if given and found.modules.find_file(given.partition(":")[0]) else []
    entries = [path for path in found.code_files if path.name in {"asgi.py", "routing.py"}]
    entries.sort(key=lambda path: (path.name != "asgi.py", path.parent.name != found.settings.split(".")[0]))
    for path in entries:
        module = found.modules.parse(path)
        if "application" in assigned_names(module):
            candidates.append(f"{found.modules.name_of(path)}:application")
    candidates = list(dict.fromkeys(candidates))
    if not candidates:
        found.notes.append("No ASGI application was found, so the site has no WebSockets")
        return
    with_sockets = [name for name in candidates if _routes_sockets(found, name)]
    found.asgi = (with_sockets or candidates)[0]
    if given and found.asgi != given:
        reason = "has no WebSockets" if given in candidates else "does not exist"
        found.notes.append(f"asgi is {found.asgi}: ASGI_APPLICATION names {given}, which {reason}")


def _with_colon(name: str) -> str:
    """Return module:attribute for ASGI_APPLICATION and WSGI_APPLICATION, which write it with a full stop."""
    if ":" in name:
        return name
    module, _, attribute = name.rpartition(".")
    return f"{module}:{attribute}" if module else ""


def assigned_names(module: Module) -> set[str]:
    """Return the names that a module has at its top level."""
    names = set()
    for node in ast.walk(module.tree):
        if isinstance(node, ast.Assign):
            names |= {target.id for target in node.targets if isinstance(target, ast.Name)}
        elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
            names.add(node.target.id)
        elif isinstance(node, ast.ImportFrom | ast.Import):
            names |= {alias.asname or alias.name for alias in node.names}
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            names.add(node.name)
    return names


def _routes_sockets(found: Discovery, name: str) -> bool:
    """Return whether the module of an ASGI application routes by protocol, rather than serving pages alone."""
    module = found.modules.find(name.partition(":")[0])
    if module is None:
        return False
    words = ("ProtocolTypeRouter", "URLRouter", "websocket", "socketio")
    return any(word in module.text for word in words)


def _find_wsgi(found: Discovery, manifest: Manifest | None) -> None:
    if manifest and manifest.wsgi:
        found.wsgi = manifest.wsgi
        if not found.modules.find_file(found.wsgi.partition(":")[0]):
            found.problems.append(f'wsgi = "{found.wsgi}": {found.root} has no such module')
        return
    settings = found.project_settings
    value = settings.value("WSGI_APPLICATION") if settings else UNKNOWN
    given = _with_colon(value) if isinstance(value, str) else ""
    entries = [path for path in found.code_files if path.name == "wsgi.py"]
    entries.sort(key=lambda path: path.parent.name != found.settings.split(".")[0])
    candidates = [f"{found.modules.name_of(path)}:application" for path in entries]
    for name in dict.fromkeys([given, *candidates]):
        module = found.modules.find(name.partition(":")[0]) if name else None
        if module and name.partition(":")[2] in assigned_names(module):
            found.wsgi = name
            break
    if given and found.wsgi != given:
        found.notes.append(
            f"WSGI_APPLICATION names {given}, which does not exist; "
            + (f"wsgi is {found.wsgi}" if found.wsgi else "the stack serves the pages with Django's own application")
        )


def _find_requirements(found: Discovery, manifest: Manifest | None) -> None:
    found.requirement_files = find_requirement_files(found.files, found.root_folder, found.source)
    if manifest and manifest.requirements:
        for name in manifest.requirements:
            if not (found.source / name).is_file() and not (manifest.folder / name).is_file():
                found.problems.append(f'requirements: there is no file "{name}" in {found.source}')
