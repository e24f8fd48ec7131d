"""The packages of a project and of the stack together, as one list with hashes: `lock_packages`.

requirements/site.in lists what the stack needs in every project's processes. Where a project names the same package,
the stack's version wins. With pins = "project" everything else has the versions that the project names. With
pins = "stack" the packages that belong to Django and Channels, and those without a wheel in the version that the
project names, get newer versions.
"""

import hashlib
import re
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path

from deploy.manifest import Manifest, WrongManifest
from deploy.project.files import walk
from deploy.project.python import read_text
from deploy.project.requirement_lines import Requirement, parse_requirement, read_requirements
from deploy.resolver import SITE_REQUIREMENTS, Answer, Conditions, ResolverMissing, check_alone, explain, resolve

DJANGO = "Django~=5.2.0"
"""For a project that names no version, and with pins = "stack"."""
OLDEST_PYTHON = "3.11"  # Debian 12
PARALLEL_CHECKS = 4  # they wait for the index

# What Django, Channels and the servers need themselves: old pins of these contradict the stack's versions.
CORE_PACKAGES = frozenset(
    re.findall(
        r"\S+",
        """
        django channels channels-redis daphne asgiref redis aioredis hiredis msgpack twisted autobahn txaio automat
        constantly hyperlink incremental zope-interface attrs cffi pycparser cryptography pyopenssl service-identity
        pyasn1 pyasn1-modules pyhamcrest idna six sqlparse pytz tzdata async-timeout typing-extensions
        importlib-metadata zipp setuptools wheel pip pillow psycopg psycopg2-binary gunicorn uvicorn websockets
        certifi urllib3 requests chardet charset-normalizer
        """,
    )
)
# Packages for Django, by their names: a version from the time of an old Django does not import with a newer one.
FOLLOWS_DJANGO = re.compile(r"django|drf-|dj-|channels")
# The same code, built: Debian hosts have no compiler.
BINARY_PACKAGES = {"psycopg2": "psycopg2-binary"}
# The stack has a database of its own; these drivers need a compiler and the headers of another one.
OTHER_DATABASES = frozenset({"mysqlclient", "mysql-python", "cx-oracle"})
IMPORT_NAMES = {
    "djangorestframework": "rest_framework",
    "pillow": "PIL",
    "django-rest-auth": "rest_auth",
    "django-rest-framework": "",  # an empty package whose name people confuse with djangorestframework
    "beautifulsoup4": "bs4",
    "pyyaml": "yaml",
    "opencv-python": "cv2",
    "python-dateutil": "dateutil",
}


class PackagesNotResolved(WrongManifest):
    """The packages do not fit together, or lack wheels: one sentence each, with the place and what helps."""

    def __init__(self, problems: list[str], pins: tuple["WrongPin", ...] = (), contradiction: str = "") -> None:
        super().__init__(problems)
        self.pins = pins
        self.contradiction = contradiction


class ResolverNotUsable(PackagesNotResolved):
    """uv is missing, or cannot reach the index: nothing is known about the packages."""


@dataclass(frozen=True)
class Resolution:
    """How the packages of a project were chosen."""

    requirements: tuple[Requirement, ...]
    """What was resolved, besides the stack's own."""
    decisions: tuple[str, ...]
    """One sentence for each line of the project that does not count as it is written."""


@dataclass(frozen=True)
class WrongPin:
    """A requirement of the project that cannot be installed as it is written."""

    requirement: Requirement
    reason: str


def lock_packages(manifest: Manifest, source: Path, target: Path, *, python: str = OLDEST_PYTHON) -> Resolution:
    """Write all packages of the project's processes to `target`: exact versions with hashes, for `python` and later.

    Does not resolve again while neither the files nor the manifest have changed.

    Args:
        manifest: completed by `discovery.complete`.
        source: the folder with the project's files.
        target: the file to write; pip and uv install from it with --require-hashes.
        python: the oldest Python that installs it, where the manifest names none.

    Raises:
        PackagesNotResolved: a package has no wheel, or two requirements contradict each other.
    """
    resolution = choose_requirements(manifest, source)
    wanted = [requirement.text for requirement in resolution.requirements]
    conditions = Conditions(manifest.python or python, manifest.exclude_newer)
    key = hashlib.sha256(
        "\n".join([*conditions.options, manifest.pins, SITE_REQUIREMENTS.read_text(), *wanted]).encode()
    ).hexdigest()
    mark = f"# made from {key[:32]}\n"
    if target.is_file() and target.read_text().startswith(mark):
        return resolution
    try:
        resolution, answer = _resolve(manifest, resolution, source, conditions)
    except ResolverMissing as missing:
        raise ResolverNotUsable([str(missing)]) from None
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(mark + answer.lock)
    return resolution


def choose_requirements(manifest: Manifest, source: Path) -> Resolution:
    """Return the project's requirements after what the manifest and the stack say about them.

    Raises:
        PackagesNotResolved: a file cannot be read, or a requirement is an address.
    """
    decisions: list[str] = []
    chosen: dict[str, Requirement] = {}
    own = [requirement for text in manifest.packages if (requirement := parse_requirement(text, Path("stack.toml"), 0))]
    replaced = {requirement.name for requirement in own}
    site = {requirement.name for requirement in read_requirements(SITE_REQUIREMENTS)}
    for named in [*own, *_read_files(manifest, source)]:
        place = place_of(named, source)
        if named.name in replaced and named not in own:
            continue
        if named.address:
            sentence = f"{place}: {named.name} comes from {named.address}; name a version of the index"
            raise PackagesNotResolved([f"{sentence} in packages, such as {named.name}"])
        if named.name in OTHER_DATABASES and manifest.database != "own":
            decisions.append(f"{place}: {named.name} is left out: the stack's database is another one")
            continue
        requirement = named
        if named.name in site:
            if named.specifier:
                decisions.append(f"{place}: the stack's version replaces {named.text}")
            requirement = named.without_version()
        if named.name in BINARY_PACKAGES:
            name = BINARY_PACKAGES[named.name]
            decisions.append(f"{place}: {name} replaces {named.name}, which is the same without a compiler")
            requirement = replace(named, name=name)
        is_newer = requirement.name in CORE_PACKAGES or FOLLOWS_DJANGO.match(requirement.name)
        if manifest.pins == "stack" and is_newer and named not in own:
            requirement = requirement.without_version()
        chosen.setdefault(requirement.name, requirement)
    if not (django := chosen.get("django")) or not django.specifier:
        newest = parse_requirement(DJANGO, Path("stack.toml"), 0)
        assert newest
        if manifest.exclude_newer:  # the newest of that day
            newest = newest.without_version()
        chosen["django"] = newest if not django else replace(django, specifier=newest.specifier)
    return Resolution(tuple(chosen.values()), tuple(decisions))


def _read_files(manifest: Manifest, source: Path) -> Iterable[Requirement]:
    """Yield what the files of the manifest name. A file may also stand beside stack.toml, when the source is a copy."""
    for name in manifest.requirements:
        path = source / name
        if not path.is_file() and (manifest.folder / name).is_file():
            path = manifest.folder / name
        try:
            yield from read_requirements(path)
        except OSError as error:
            raise PackagesNotResolved([f"{name}: cannot read {error.filename}: {error.strerror}"]) from None
        except ValueError as error:
            raise PackagesNotResolved([f"{name}: {error}"]) from None


def place_of(requirement: Requirement, source: Path) -> str:
    """Return FILE:LINE of a requirement."""
    path = requirement.path
    name = path.relative_to(source).as_posix() if path.is_relative_to(source) else path.name
    return f"{name}:{requirement.line}" if requirement.line else name


def _resolve(
    manifest: Manifest, resolution: Resolution, source: Path, conditions: Conditions
) -> tuple[Resolution, Answer]:
    if manifest.pins == "stack":
        resolution, answer = _resolve_with_newer(resolution, source, conditions)
    else:
        answer = _ask(resolution.requirements, conditions)
        if answer.error:
            raise _describe_failure(resolution.requirements, answer.error, source, conditions)
    built = [
        f"{name} is built from its source, which is plain Python: it has no wheel" for name in sorted(answer.built)
    ]
    return replace(resolution, decisions=(*resolution.decisions, *built)), answer


def _ask(requirements: Iterable[Requirement], conditions: Conditions) -> Answer:
    return resolve((requirement.text for requirement in requirements), conditions)


def find_wrong_pins(requirements: Iterable[Requirement], conditions: Conditions) -> list[WrongPin]:
    """Return the requirements that have no wheel for this Python and later, each asked for alone.

    Raises:
        ResolverMissing: uv cannot be run.
    """
    named = [requirement for requirement in requirements if requirement.specifier]
    with ThreadPoolExecutor(PARALLEL_CHECKS) as pool:
        errors = pool.map(lambda requirement: check_alone(requirement.text, conditions), named)
        return [
            WrongPin(requirement, _reason(error, conditions))
            for requirement, error in zip(named, errors, strict=True)
            if error
        ]


def _reason(error: str, conditions: Conditions) -> str:
    python = conditions.python
    if "was filtered by `exclude-newer`" in error:
        if "published at" not in error:
            return "has no day of upload in this index, so exclude_newer cannot choose its versions"
        return f"has no version that was uploaded before {conditions.exclude_newer}"
    if (
        "no usable wheels" in error
        or "no wheels with a matching" in error
        or "building from source is disabled" in error
    ):
        return f"has no wheel for Python {python}"
    if "was not found" in error:
        return "is not in the index"
    if "no version of" in error.lower() or "there is no version" in error.lower():
        return "is a version that the index does not have"
    return f"needs another Python than {python}" if "Python" in error else "cannot be installed"


def _describe_failure(
    requirements: Iterable[Requirement], error: str, source: Path, conditions: Conditions
) -> PackagesNotResolved:
    wrong = tuple(find_wrong_pins(requirements, conditions))
    advice = 'pins = "stack" in stack.toml takes newer versions'
    if conditions.exclude_newer:
        advice = f"a later day than {conditions.exclude_newer} in exclude_newer takes newer versions"
    if not wrong:
        reason = explain(error)
        return PackagesNotResolved([f"The packages contradict each other: {reason}; {advice}"], (), reason)
    return PackagesNotResolved(
        [f"{place_of(pin.requirement, source)}: {pin.requirement.text} {pin.reason}; {advice}" for pin in wrong], wrong
    )


def _resolve_with_newer(resolution: Resolution, source: Path, conditions: Conditions) -> tuple[Resolution, Answer]:
    """Resolve after giving up, step by step, as few of the project's versions as it takes."""
    requirements, decisions = list(resolution.requirements), list(resolution.decisions)
    answer = _ask(requirements, conditions)
    if answer.error:
        wrong = {pin.requirement.name: pin for pin in find_wrong_pins(requirements, conditions)}
        decisions += [
            f"{place_of(pin.requirement, source)}: {pin.requirement.text} {pin.reason}: a newer version"
            for pin in wrong.values()
        ]
        requirements = [each.without_version() if each.name in wrong else each for each in requirements]
        answer = _ask(requirements, conditions)
    if answer.error:
        pinned = [each for each in requirements if each.is_pinned]
        decisions += [f"{place_of(each, source)}: {each.text} contradicts others: a newer version" for each in pinned]
        requirements = [each.without_version() if each.is_pinned else each for each in requirements]
        answer = _ask(requirements, conditions)
    if answer.error:
        unpinned = [replace(each, specifier=">=0") if not each.specifier else each for each in requirements]
        absent = {pin.requirement.name: pin for pin in find_wrong_pins(unpinned, conditions)}
        needed = [pin for pin in absent.values() if is_imported(pin.requirement.name, source)]
        if not absent:
            reason = explain(answer.error)
            raise PackagesNotResolved([f"The packages contradict each other: {reason}"], (), reason)
        if needed:
            raise PackagesNotResolved(
                [
                    f"{place_of(pin.requirement, source)}: {pin.requirement.name} {pin.reason} in any version, and the "
                    "project imports it; replace it"
                    for pin in needed
                ],
                tuple(needed),
            )
        decisions += [
            f"{place_of(pin.requirement, source)}: {pin.requirement.name} is left out: {pin.reason}"
            for pin in absent.values()
        ]
        requirements = [each for each in requirements if each.name not in absent]
        answer = _ask(requirements, conditions)
        if answer.error:
            raise PackagesNotResolved([f"The packages contradict each other: {explain(answer.error)}"])
    return Resolution(tuple(requirements), tuple(decisions)), answer


def find_freed_pins(manifest: Manifest, source: Path, *, python: str = OLDEST_PYTHON) -> tuple[Requirement, ...]:
    """Return the few requirements without whose versions the others can stay; () where that takes pins = "stack".

    These are the versions without a wheel, and those that contradict what replaces them. Only a project that names its
    version of Django can keep the rest: its versions belong together.

    Raises:
        PackagesNotResolved: as `choose_requirements`.
        ResolverNotUsable: uv cannot be run.
    """
    conditions = Conditions(manifest.python or python, manifest.exclude_newer)
    requirements = choose_requirements(manifest, source).requirements
    if not any(each.name == "django" and each.is_pinned and each.line for each in requirements):
        return ()
    try:
        freed = {pin.requirement.name for pin in find_wrong_pins(requirements, conditions)}
        new = set(freed)
        while new and "django" not in freed:
            kept = [each.without_version() if each.name in freed else each for each in requirements]
            error = _ask(kept, conditions).error
            if not error:
                return tuple(each for each in requirements if each.name in freed)
            words = set(re.findall(r"[a-z0-9]+(?:[._-][a-z0-9]+)*?(?=[<>=!~\s,]|$)", explain(error)))
            new = {each.name for each in kept if each.is_pinned and each.name in words}
            freed |= new
    except ResolverMissing as missing:
        raise ResolverNotUsable([str(missing)]) from None
    return ()


def is_imported(package: str, source: Path) -> bool:
    """Return whether any module of the project names the package's module, in an import or in INSTALLED_APPS."""
    module = IMPORT_NAMES.get(package, package.replace("-", "_"))
    if not module:
        return False
    pattern = re.compile(rf"\b{re.escape(module)}\b")
    return any(pattern.search(read_text(path)) for path in walk(source) if path.suffix == ".py")
