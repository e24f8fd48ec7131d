"""Where a project names the packages that it needs."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from deploy.project.python import read_text
from deploy.project.requirement_lines import parse_requirement

# Files by which a project names its packages, the best first: a list that the owner wrote for deployments, a lock
# file, and last what only names ranges.
FILE_NAMES = (
    "requirements.txt",
    "requirements/production.txt",
    "requirements/prod.txt",
    "requirements/requirements.txt",
    "requirements/base.txt",
    "requirements/common.txt",
    "uv.lock",
    "poetry.lock",
    "Pipfile.lock",
    "Pipfile",
    "pyproject.toml",
    "setup.cfg",
    "setup.py",
)
# Other names that people give such a list: req.txt, pip.txt, requirments.txt, packages.txt.
OTHER_NAMES = re.compile(
    r"^reqs?$|^re\w{0,3}[iu]\w{0,2}re?m\w{0,2}n?ts?|requirement|^pip$|^packages$|^dep(?:s|endencies)$"
)
DEVELOPMENT_WORDS = ("dev", "test", "doc", "lint", "local", "ci")


@dataclass(frozen=True)
class RequirementFiles:
    """The files that name the packages of a project."""

    chosen: tuple[Path, ...] = ()
    others: tuple[Path, ...] = ()
    """More such files, which were not chosen."""


def find_requirement_files(files: Iterable[Path], root: Path, source: Path) -> RequirementFiles:
    """Choose the files that name the packages, from `root` (where manage.py is) up to `source`.

    Args:
        files: the files of the project, absolute.
        root: the folder that the project imports from.
        source: the folder of the whole project.
    """
    known = set(files)
    folders = [root, *(folder for folder in root.parents if folder == source or source in folder.parents)]
    found: list[Path] = []
    for folder in dict.fromkeys(folders):
        named = [folder / name for name in FILE_NAMES if folder / name in known]
        odd = sorted(
            path
            for path in known
            if path.parent == folder and path.suffix in {".txt", ".pip", ".in"} and path not in named
            if OTHER_NAMES.search(path.stem.lower()) and not is_for_development(path)
            if "requirement" in path.stem.lower() or lists_django(path)
        )
        lists = [path for path in named if path.suffix == ".txt"]
        rest = [path for path in named if path.suffix != ".txt"]
        found += [*lists, *odd, *rest]
    useful = [path for path in found if names_packages(path)]
    return RequirementFiles(tuple(useful[:1]), tuple(useful[1:]))


def is_for_development(path: Path) -> bool:
    """Return whether the name of a file says that it lists what developers need."""
    stem = path.stem.lower()
    return any(word in stem.replace("requirements", "").replace("requirement", "") for word in DEVELOPMENT_WORDS)


def lists_django(path: Path) -> bool:
    """Return whether every line of a file is a requirement, and one of them is Django."""
    lines = [line.partition("#")[0].strip() for line in read_text(path).splitlines()]
    found = [parse_requirement(line, path, 0) for line in lines if line]
    return all(found) and any(requirement and requirement.name == "django" for requirement in found)


def names_packages(path: Path) -> bool:
    """Return whether a file lists packages: pyproject.toml and setup.cfg may hold nothing but the options of tools."""
    try:
        text = path.read_bytes()
    except OSError:
        return False
    if path.name == "pyproject.toml":
        return b"[project]" in text or b"[tool.poetry.dependencies]" in text
    if path.name == "setup.cfg":
        return b"install_requires" in text
    if path.name == "setup.py":
        return b"install_requires" in text
    return bool(text.strip())
