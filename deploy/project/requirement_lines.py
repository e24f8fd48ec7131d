"""The packages that a project names, each with its place: requirements.txt, Pipfile, pyproject.toml and others."""

import ast
import configparser
import json
import re
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from deploy.project.python import called_name, read_text, string_value

NAME = re.compile(
    r"\s*(?P<name>[A-Za-z0-9][A-Za-z0-9._-]*)\s*(?P<extras>\[[^\]]*\])?\s*(?P<rest>[^;#]*)(?P<marker>;[^#]*)?"
)
SPECIFIER = re.compile(r"(===|==|~=|!=|<=|>=|<|>)\s*([A-Za-z0-9.*+!_-]+)")
INCLUDE = re.compile(r"(?:-r|--requirement)[\s=]+(?P<file>\S+)")
ADDRESS = re.compile(r"^(?:[\w.-]+(?:\[[\w,.-]*\])?\s*@\s*)?(?:git\+|hg\+|svn\+|bzr\+|https?://|file:|\./|\.\./|/)")
LOCK_FILES = ("poetry.lock", "uv.lock")
# pip freeze of Debian's and Ubuntu's pip wrote this package, which has never existed.
NO_PACKAGES = frozenset({"pkg-resources", "pkg_resources"})


@dataclass(frozen=True)
class Requirement:
    """One package that the project names."""

    name: str
    """As PEP 503 normalises it."""
    extras: str
    """Such as [redis], or ""."""
    specifier: str
    """Such as >=4.2,<5, or ""."""
    marker: str
    """Such as ;sys_platform == "win32", or ""."""
    path: Path
    line: int
    address: str = ""
    """Where the package is to be fetched from, when that is not an index."""

    @property
    def text(self) -> str:
        """The requirement as pip reads it."""
        return f"{self.name}{self.extras}{self.specifier}{self.marker}"

    @property
    def is_pinned(self) -> bool:
        """Whether it names one version."""
        return self.specifier.startswith("==") and "*" not in self.specifier

    def without_version(self) -> "Requirement":
        """Return the requirement for any version."""
        return replace(self, specifier="")


def normalise(name: str) -> str:
    """Return the name of a package as PEP 503 compares it."""
    return re.sub(r"[-_.]+", "-", name).lower()


def read_requirements(path: Path) -> list[Requirement]:
    """Return the requirements that a file names for running the project, in its order; pins of a lock file included.

    Raises:
        OSError: the file, or one that it includes, cannot be read.
        ValueError: it is not in its own format; the text says where.
    """
    readers = {
        "Pipfile": _read_pipfile,
        "Pipfile.lock": _read_pipfile_lock,
        "pyproject.toml": _read_pyproject,
        "poetry.lock": _read_lock,
        "uv.lock": _read_lock,
        "setup.py": _read_setup_py,
        "setup.cfg": _read_setup_cfg,
    }
    return list(readers.get(path.name, _read_lines)(path))


def parse_requirement(text: str, path: Path, line: int) -> Requirement | None:
    """Return the requirement of one line, or None for a line that names no package."""
    if ADDRESS.match(text):
        egg = re.search(r"[#&]egg=([\w.-]+)", text)
        before = re.match(r"([\w.-]+)(?:\[[^\]]*\])?\s*@", text)
        name = egg[1] if egg else before[1] if before else text.rstrip("/").rpartition("/")[2].removesuffix(".git")
        return Requirement(normalise(name), "", "", "", path, line, text.partition("#egg")[0])
    match = NAME.match(text)
    if not match or normalise(match["name"]) in NO_PACKAGES:
        return None
    specifier = ",".join(f"{operator}{version}" for operator, version in SPECIFIER.findall(match["rest"]))
    extras = re.sub(r"\s+", "", match["extras"] or "")
    return Requirement(normalise(match["name"]), extras, specifier, (match["marker"] or "").strip(), path, line)


def _read_lines(path: Path, seen: frozenset[Path] = frozenset()) -> Iterator[Requirement]:
    number = 0
    text = read_text(path)
    for line in re.sub(r"\\\r?\n", " \0", text).splitlines():
        number += 1
        here = number
        number += line.count("\0")  # a line that was continued
        plain = re.sub(r"(?:^|\s)#.*", "", line.replace("\0", " ")).strip()
        plain = re.sub(r"\s--(?:hash|global-option|config-settings)[=\s]\S+", "", plain)
        include = INCLUDE.match(plain)
        if include:
            other = (path.parent / include["file"]).resolve()
            if other not in seen:
                yield from _read_lines(other, seen | {path})
        elif plain and not plain.startswith("-"):  # -e . is the project itself, --index-url is the operator's choice
            requirement = parse_requirement(plain, path, here)
            if requirement:
                yield requirement


def _line_of(text: str, name: str) -> int:
    pattern = re.compile(rf"""^\s*["']?{re.escape(name)}["'\s=\[<>~!;:]""", re.MULTILINE | re.IGNORECASE)
    found = pattern.search(text) or re.search(re.escape(name), text, re.IGNORECASE)
    return text.count("\n", 0, found.start()) + 1 + len(re.findall(r"^\n+", found[0])) if found else 1


def _load_toml(path: Path, text: str) -> dict[str, object]:
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ValueError(f"{path.name} is not TOML: {error}") from None


def _table(value: object, *keys: str) -> dict[str, object]:
    for key in keys:
        value = value.get(key) if isinstance(value, dict) else None
    return value if isinstance(value, dict) else {}


def _from_table(packages: dict[str, object], path: Path, text: str) -> Iterator[Requirement]:
    """Yield the requirements of a table as Pipfile and Poetry write it: name = "^1.2" or { version = "*", ... }."""
    for name, value in packages.items():
        line = _line_of(text, name)
        if normalise(name) == "python":
            continue
        if isinstance(value, str):
            yield Requirement(normalise(name), "", _plain_specifier(value), "", path, line)
        elif isinstance(value, dict) and not value.get("optional"):
            extras = value.get("extras")
            extra = f"[{','.join(map(str, extras))}]" if isinstance(extras, list) and extras else ""
            marker = f";{value['markers']}" if isinstance(value.get("markers"), str) else ""
            address = next((f"{kind} {value[kind]}" for kind in ("git", "path", "file", "url") if kind in value), "")
            specifier = _plain_specifier(str(value.get("version", "*")))
            yield Requirement(normalise(name), extra, specifier, marker, path, line, address)


def _plain_specifier(text: str) -> str:
    """Return Poetry's ^1.2 and ~1.2 as pip writes them. "" is any version."""
    parts = []
    for part in text.split(","):
        word = part.strip()
        match = re.fullmatch(r"([\^~])\s*(\d+(?:\.\d+)*)\S*", word)
        if match:
            numbers = [int(number) for number in match[2].split(".")]
            if match[1] == "^":
                index = next((i for i, number in enumerate(numbers) if number), len(numbers) - 1)
            else:
                index = min(1, len(numbers) - 1)
            ceiling = [*numbers[:index], numbers[index] + 1]
            parts.append(f">={match[2]},<{'.'.join(map(str, ceiling))}")
        elif re.fullmatch(r"\d[\w.]*", word):
            parts.append(f"=={word}")
        elif word and word != "*":
            parts.append(word.replace(" ", ""))
    return ",".join(parts)


def _read_pipfile(path: Path) -> Iterator[Requirement]:
    text = read_text(path)
    yield from _from_table(_table(_load_toml(path, text), "packages"), path, text)


def _read_pipfile_lock(path: Path) -> Iterator[Requirement]:
    text = read_text(path)
    try:
        document = json.loads(text)
    except json.JSONDecodeError as error:
        raise ValueError(f"{path.name} is not JSON: {error}") from None
    yield from _from_table(_table(document, "default"), path, text)


def _read_pyproject(path: Path) -> Iterator[Requirement]:
    text = read_text(path)
    document = _load_toml(path, text)
    listed = _table(document, "project").get("dependencies")
    for entry in listed if isinstance(listed, list) else ():
        requirement = parse_requirement(str(entry), path, _line_of(text, re.split(r"[\s\[<>=~!;@]", str(entry))[0]))
        if requirement:
            yield requirement
    yield from _from_table(_table(document, "tool", "poetry", "dependencies"), path, text)


def _read_lock(path: Path) -> Iterator[Requirement]:
    """Yield what pyproject.toml beside the lock file names, each with the locked version."""
    text = read_text(path)
    document = _load_toml(path, text)
    locked = document.get("package")
    versions = {
        normalise(str(package["name"])): str(package["version"])
        for package in (locked if isinstance(locked, list) else ())
        if isinstance(package, dict) and "name" in package and "version" in package
    }
    project = path.with_name("pyproject.toml")
    for requirement in _read_pyproject(project) if project.is_file() else ():
        version = versions.get(requirement.name)
        if version and not requirement.address:
            line = _line_of(text, f'name = "{requirement.name}"')
            yield replace(requirement, specifier=f"=={version}", path=path, line=line)
        else:
            yield requirement


def _read_setup_py(path: Path) -> Iterator[Requirement]:
    try:
        tree = ast.parse(read_text(path))
    except SyntaxError as error:
        raise ValueError(f"{path.name}:{error.lineno}: {error.msg}") from None
    lists = {
        target.id: node.value
        for node in ast.walk(tree)
        if isinstance(node, ast.Assign)
        for target in node.targets
        if isinstance(target, ast.Name)
    }
    for node in ast.walk(tree):
        if not called_name(node).endswith("setup") or not isinstance(node, ast.Call):
            continue
        for keyword in node.keywords:
            if keyword.arg == "install_requires":
                value = keyword.value
                if isinstance(value, ast.Name):
                    value = lists.get(value.id, value)
                for element in value.elts if isinstance(value, ast.List | ast.Tuple) else ():
                    requirement = parse_requirement(string_value(element) or "", path, element.lineno)
                    if requirement:
                        yield requirement


def _read_setup_cfg(path: Path) -> Iterator[Requirement]:
    text = read_text(path)
    parser = configparser.ConfigParser(interpolation=None)
    try:
        parser.read_string(text)
    except configparser.Error as error:
        raise ValueError(f"{path.name}: {error.message}") from None
    for entry in parser.get("options", "install_requires", fallback="").splitlines():
        requirement = parse_requirement(
            entry.strip(), path, _line_of(text, re.split(r"[\s\[<>=~!;@]", entry.strip())[0])
        )
        if requirement:
            yield requirement
