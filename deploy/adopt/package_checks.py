"""The packages of a project: what it imports and does not name, and versions that cannot be installed."""

import ast
import hashlib
import re
import sys
import tomllib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from deploy.adopt.manifest_text import show
from deploy.adopt.package_names import FAMILIES, PACKAGES
from deploy.adopt.report import Finding
from deploy.adopt.survey import Survey
from deploy.manifest import Manifest
from deploy.packages import (
    OLDEST_PYTHON,
    PackagesNotResolved,
    Resolution,
    ResolverNotUsable,
    choose_requirements,
    find_freed_pins,
    find_wrong_pins,
    is_imported,
    lock_packages,
)
from deploy.project.python import string_value
from deploy.project.requirement_lines import Requirement, normalise, parse_requirement, read_requirements
from deploy.resolver import Conditions
from deploy.source import cache_folder

# What requirements/site.in brings along, by the name of the module.
STACK_MODULES = frozenset(
    re.findall(
        r"\S+",
        """
        django channels channels_redis daphne asgiref redis hiredis msgpack msgspec twisted autobahn gunicorn
        prometheus_client psycopg sqlparse zope attr attrs OpenSSL cryptography idna typing_extensions
        """,
    )
)
# What developers run by hand.
SCRIPTS = frozenset({"setup.py", "conftest.py", "tasks.py", "fabfile.py", "noxfile.py", "locustfile.py"})
# Packages without a release for years -> what people use instead.
DEAD_PACKAGES = {
    "django-rest-auth": "dj-rest-auth",
    "djangorestframework-jwt": "djangorestframework-simplejwt",
    "django-rest-swagger": "drf-spectacular",
    "django-jet": "django-jet-reboot",
    "django-suit": "django-jazzmin",
    "django-heroku": "dj-database-url",
    "channels-jsonrpc": "a consumer of your own",
    "channels-api": "djangochannelsrestframework",
    "south": "the migrations of Django",
}
PYTHON_RANGE = re.compile(r"""(?:requires-python|python)\s*=\s*["'](?:>=|\^|~=?)\s*3\.(?P<minor>\d+)""")
# Settings whose texts are all names of modules, and settings whose texts are where one of these keys stands.
MODULE_SETTINGS = re.compile(
    r"\w*_APPS|MIDDLEWARE|REST_FRAMEWORK|\w*_(?:BACKENDS?|ENGINE|STORAGE|CLASS(?:ES)?|SERIALIZER|FINDERS)"
)
MODULE_KEYS = frozenset({"BACKEND", "CLIENT_CLASS", "SERIALIZER", "COMPRESSOR", "context_processors", "loaders"})
# The stack has its own instead: of LOGGING, and of layers and databases but those that are variants of the stack's.
REPLACED_MODULES = re.compile(r"(?:asgi_redis|channels_rabbitmq|logging)\.")
OLD_DJANGO = re.compile(r"(?:==|~=|<=?)\s*[12](?:\.|$)")
ALLOW_ASYNC = "DJANGO_ALLOW_ASYNC_UNSAFE"
MIN_PREFIX_LENGTH = 5  # of a package's name that says that a longer name of a module is its own
DOTTED_NAME = re.compile(r"[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)*")
DEVELOPMENT_MODULES = frozenset({"pytest", "factory", "faker", "coverage", "locust", "setuptools", "pkg_resources"})


@dataclass(frozen=True)
class PackageCheck:
    """What was found about packages."""

    findings: list[Finding]
    notes: list[str]
    state: str
    """"resolved", "not resolved" or "not checked"."""


def check_packages(survey: Survey, *, resolves: bool) -> PackageCheck:
    """Return what is wrong with the packages.

    Args:
        survey: the project.
        resolves: whether to ask the index, which takes from a second to a minute.
    """
    source = survey.project.source
    try:
        chosen = choose_requirements(survey.manifest, source)
    except PackagesNotResolved as wrong:
        path = survey.project.requirement_files.chosen
        place = path[0] if path else survey.project.root_folder / "manage.py"
        line = _line_in(wrong.problems[0])
        found = survey.find(
            "dead-package", place, line, requirement=wrong.problems[0].rpartition(": ")[2], reason="cannot be used"
        )
        return PackageCheck([found], [], "not resolved")
    listed = {requirement.name for requirement in chosen.requirements}
    dead = [*_find_dead(survey, chosen), *_check_python(survey), *_check_async_queries(survey)]
    if not resolves:
        # Without the index nobody knows what the listed packages bring along.
        guesses = _find_missing(survey, listed)
        certain = (each for each in guesses if not listed or each.detail in PACKAGES or each.cause == "module-missing")
        return PackageCheck([*dead, *certain], [], "not checked")
    findings: list[Finding] = []
    manifest = survey.manifest
    lock, error = _lock(manifest, source)
    if isinstance(error, ResolverNotUsable):
        return replace(check_packages(survey, resolves=False), notes=[f"{error}; the packages were not resolved"])
    if error and manifest.pins == "project":
        freed = find_freed_pins(manifest, source)
        if freed:
            findings += _describe_freed(survey, freed, error)
            added = (requirement.without_version().text for requirement in freed)
            manifest = replace(manifest, packages=(*manifest.packages, *added))
        else:
            findings += _describe_pins(survey, error, 'pins = "stack"')
            manifest = replace(manifest, pins="stack")
        lock, error = _lock(manifest, source)
    if error:
        findings = [finding for finding in findings if finding.line not in {pin.requirement.line for pin in error.pins}]
        findings += _describe_pins(survey, error, "")
        return PackageCheck([*findings, *dead, *_find_missing(survey, listed)], [], "not resolved")
    names = set(re.findall(r"^([A-Za-z0-9._-]+)==", lock, re.MULTILINE)) | listed
    missing = _without_guesses(_find_missing(survey, {normalise(name) for name in names}))
    notes = list(choose_requirements(manifest, source).decisions)
    return PackageCheck([*findings, *dead, *missing], notes, "resolved")


def _check_python(survey: Survey) -> Iterator[Finding]:
    """Yield the oldest Python that the project accepts, where that is not the oldest that a host has."""
    for path in survey.project.files:
        if path.name == "pyproject.toml" and path.parent in {survey.project.source, survey.project.root_folder}:
            for number, line in enumerate(survey.text(path).splitlines(), 1):
                match = PYTHON_RANGE.match(line)
                if match and int(match["minor"]) > int(OLDEST_PYTHON.partition(".")[2]):
                    version = f"3.{match['minor']}"
                    found = survey.find(
                        "python-version", path, number, field=f'python = "{version}"', version=f"{version} or later"
                    )
                    yield Finding(**{**vars(found), "is_settled": bool(survey.manifest.python)})


def _check_async_queries(survey: Survey) -> Iterator[Finding]:
    """Yield the first asynchronous consumer of a project for Django 1 or 2, where it names such a version."""
    files = survey.project.requirement_files.chosen
    named = [each for path in files for each in read_requirements(path) if each.name == "django"]
    if not any(OLD_DJANGO.search(each.specifier) for each in named):
        return
    for path in survey.project.code_files:
        module = survey.project.modules.parse(path)
        for node in module.tree.body:
            if isinstance(node, ast.ClassDef) and any(isinstance(each, ast.AsyncFunctionDef) for each in node.body):
                field = f'variables.{ALLOW_ASYNC} = "true"'
                found = survey.find("queries-in-async-code", path, node.lineno, field=field, name=node.name)
                yield Finding(**{**vars(found), "is_settled": ALLOW_ASYNC in survey.manifest.variables})
                return


def _find_dead(survey: Survey, chosen: Resolution) -> Iterator[Finding]:
    """Yield the packages that today's Django has outlived, where the project uses them."""
    for requirement in chosen.requirements:
        if requirement.name in DEAD_PACKAGES and is_imported(requirement.name, survey.project.source):
            reason = (
                f"is no longer maintained, and does not know Django 5: {DEAD_PACKAGES[requirement.name]} replaced it"
            )
            place = (
                (requirement.path, requirement.line)
                if requirement.line
                else (survey.project.root_folder / "manage.py", 0)
            )
            yield survey.find("dead-package", *place, requirement=requirement.name, reason=reason)


def _without_guesses(missing: Iterable[Finding]) -> list[Finding]:
    """Return the findings; those whose package is not in the index propose none."""
    findings = list(missing)
    guesses = {
        finding: requirement
        for finding in findings
        if finding.detail not in PACKAGES and not finding.is_settled
        for requirement in [parse_requirement(f"{tomllib.loads(finding.field)['packages'][0]}>=0", Path(), 0)]
        if requirement
    }
    wrong = {pin.requirement.name for pin in find_wrong_pins(guesses.values(), Conditions(OLDEST_PYTHON))}
    return [replace(each, field="") if each in guesses and guesses[each].name in wrong else each for each in findings]


def _lock(manifest: Manifest, source: Path) -> tuple[str, PackagesNotResolved | None]:
    key = hashlib.sha256(f"{source} {manifest.pins} {manifest.packages}".encode()).hexdigest()[:16]
    target = cache_folder() / "locks" / f"{key}.txt"
    try:
        lock_packages(manifest, source, target)
    except PackagesNotResolved as error:
        return "", error
    return target.read_text(), None


def _describe_freed(survey: Survey, freed: Iterable[Requirement], error: PackagesNotResolved) -> Iterator[Finding]:
    """Yield the versions that are given up while all others stay."""
    reasons = {pin.requirement.name: pin.reason for pin in error.pins}
    for each in freed:
        yield survey.find(
            *("pin-freed", each.path, each.line),
            field=f"packages = [{show(each.without_version().text)}]",
            requirement=each.text,
            reason=reasons.get(each.name, "does not fit to the versions that replace others"),
        )


def _describe_pins(survey: Survey, error: PackagesNotResolved, field: str) -> Iterator[Finding]:
    for pin in error.pins:
        cause = "pin-without-wheel" if field else "dead-package"
        text = pin.requirement.text if field else pin.requirement.name
        reason = pin.reason if field else f"{pin.reason} in any version, and the project imports it"
        yield survey.find(
            *(cause, pin.requirement.path, pin.requirement.line), field=field, requirement=text, reason=reason
        )
    if not error.pins:
        files = survey.project.requirement_files.chosen
        place = files[0] if files else survey.project.root_folder / "manage.py"
        reason = error.contradiction or error.problems[0]
        cause = "pins-contradict" if field else "dead-package"
        yield survey.find(cause, place, 0, field=field, requirement="A package", reason=reason)


def _line_in(problem: str) -> int:
    match = re.search(r":(\d+):", problem)
    return int(match[1]) if match else 0


def _find_missing(survey: Survey, names: set[str]) -> Iterator[Finding]:
    """Yield the first import of each module whose package is not among the names."""
    own = _own_modules(survey)
    found: dict[str, Finding] = {}
    for name, place, line in _module_names(survey):
        top = name.split(".")[0]
        if top in own or top in sys.stdlib_module_names or top in STACK_MODULES or top in DEVELOPMENT_MODULES:
            continue
        package = PACKAGES.get(".".join(name.split(".")[:2])) or PACKAGES.get(top) or top.replace("_", "-")
        plain = normalise(package.split("[", maxsplit=1)[0])
        if is_listed(top, plain, names):
            continue
        if is_kept_back(survey, top):
            found.setdefault(plain, survey.find("module-missing", place, line, name=f"{top}.py"))
            continue
        if plain not in found:
            found[plain] = survey.find("package-not-listed", place, line, field=f'packages = ["{package}"]', module=top)
    configured = {normalise(re.split(r"[\s\[<>=~!;]", package)[0]) for package in survey.manifest.packages}
    for plain, finding in found.items():
        yield Finding(**{**vars(finding), "is_settled": plain in configured})


def is_kept_back(survey: Survey, module: str) -> bool:
    """Return whether a module is one that the project's authors have and do not share: .gitignore names it."""
    folders = {survey.project.root_folder, survey.project.source}
    files = (folder / ".gitignore" for folder in folders)
    lines = [line.strip() for file in files if file.is_file() for line in survey.text(file).splitlines()]
    return any(line.rpartition("/")[2] in {f"{module}.py", f"{module}.*"} for line in lines)


def is_listed(module: str, package: str, names: set[str]) -> bool:
    """Return whether one of the packages' names is this package, or says that it has the module."""
    prefix = FAMILIES.get(module)
    if package in names or (prefix and any(name.startswith(prefix) for name in names)):
        return True
    part = f"-{normalise(module)}-"
    if any(part in f"-{name}-" for name in names):
        return True
    if module in PACKAGES:
        return False
    # django-adminlte-3 brings adminlte3 and adminlte3_theme.
    plain = module.replace("_", "").lower()
    own = (name.removeprefix("django-").replace("-", "") for name in names if name.startswith("django-"))
    return any(plain.startswith(name) for name in own if len(name) >= MIN_PREFIX_LENGTH)


def _own_modules(survey: Survey) -> set[str]:
    """Return the names of all modules and packages in the project, also of those that sys.path may not have."""
    project = survey.project
    manage = project.root_folder / "manage.py"
    changes_path = manage.is_file() and "sys.path" in survey.text(manage)
    settings = project.project_settings
    changes_path |= any("sys.path" in module.text for module in (settings.read_modules if settings else ()))
    top = project.source if changes_path else project.root_folder
    names = set()
    for path in project.files:
        if path.suffix == ".py" and path.is_relative_to(top):
            names |= {path.stem, *path.relative_to(top).parts[:-1]}
    return names


def _module_names(survey: Survey) -> Iterator[tuple[str, Path, int]]:
    """Yield the modules of others that the project imports, or that its settings name: (module, file, line)."""
    settings = survey.project.project_settings
    for path in survey.project.code_files:
        if path.name not in SCRIPTS and path.parent.name != "docs":
            module = survey.project.modules.parse(path)
            for node in _certain_imports(module.tree):
                if isinstance(node, ast.Import):
                    yield from ((alias.name, path, node.lineno) for alias in node.names)
                elif not node.level and node.module:
                    yield node.module, path, node.lineno
    for name, assignments in settings.assignments.items() if settings else ():
        for assignment in assignments:
            nodes = ast.walk(assignment.value) if MODULE_SETTINGS.fullmatch(name) else _values_of_keys(assignment.value)
            for part in nodes if name.isupper() and name != "LOGGING" else ():
                text = string_value(part)
                if not text or not DOTTED_NAME.fullmatch(text) or REPLACED_MODULES.match(text):
                    continue
                if "." in text or name.endswith("_APPS"):
                    yield text, assignment.module.path, part.lineno  # type: ignore[attr-defined]


def _values_of_keys(node: ast.AST) -> Iterator[ast.AST]:
    """Yield what stands below the keys of a setting that name modules, such as BACKEND in CACHES."""
    for part in ast.walk(node):
        if isinstance(part, ast.Dict):
            for key, value in zip(part.keys, part.values, strict=True):
                if string_value(key) in MODULE_KEYS:
                    yield from ast.walk(value)


def _certain_imports(node: ast.AST) -> Iterator[ast.Import | ast.ImportFrom]:
    """Yield the imports of a tree, without those whose failure is expected, and those for type checkers."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.Import | ast.ImportFrom):
            yield child
        elif not _expects_failure(child):
            yield from _certain_imports(child)


def _expects_failure(node: ast.AST) -> bool:
    if isinstance(node, ast.If):
        return "TYPE_CHECKING" in ast.unparse(node.test)
    if not isinstance(node, ast.Try):
        return False
    caught = " ".join(ast.unparse(handler.type) for handler in node.handlers if handler.type)
    return "ImportError" in caught or "ModuleNotFoundError" in caught
