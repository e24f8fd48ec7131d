"""Asks uv which versions of packages fit together, have wheels, and suit a version of Python."""

import functools
import os
import re
import shutil
import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

SITE_REQUIREMENTS = Path(__file__).resolve().parent.parent / "requirements" / "site.in"
RESOLVE_TIMEOUT_SECONDS = 600
MAX_ROUNDS = 8  # of finding packages without wheels: each round names at least one more
WITHOUT_WHEELS = re.compile(
    r"(?:all versions of )?([a-z0-9][a-z0-9._-]*[a-z0-9])(?:[<>=!~][\w.,<>=!~]*)? ha(?:s|ve) no "
    r"(?:usable wheels|wheels with a matching)"
)
NOT_REACHED = re.compile(r"Failed to fetch|error sending request|[Cc]ould not connect|dns error|[Rr]equest failed")
PLATFORM = "x86_64-manylinux_2_36"  # Debian 12


class ResolverMissing(Exception):
    """uv is not installed, did not answer in time, or cannot reach the index: one sentence."""


@dataclass(frozen=True)
class Conditions:
    """What limits the versions that may be chosen, besides the requirements."""

    python: str
    """The oldest version of Python that installs the result."""
    exclude_newer: str = ""
    """The day, such as 2024-05-01, whose uploads and later ones do not count; "" for none. The packages of the stack
    are exempt, because the project's day may be older than they are."""

    @property
    def options(self) -> list[str]:
        """Return the options of uv."""
        options = ["--python-version", self.python]
        if self.exclude_newer:
            options += ["--exclude-newer", f"{self.exclude_newer}T00:00:00Z"]
            options += [f"--exclude-newer-package={name}=false" for name in stack_packages()]
        return options


def stack_packages() -> list[str]:
    """Return the names of the packages that the stack's own requirements need, but for Django, the project's own."""
    named = re.findall(r"^([A-Za-z0-9][A-Za-z0-9._-]*)", SITE_REQUIREMENTS.read_text(), re.MULTILINE)
    locked = SITE_REQUIREMENTS.with_suffix(".txt")
    if locked.is_file():
        named += re.findall(r"^([a-z0-9._-]+)==", locked.read_text(), re.MULTILINE)
    return sorted({*named} - {"django"})


@dataclass(frozen=True)
class Answer:
    """What uv says about a list of requirements."""

    lock: str = ""
    """Exact versions with hashes, as pip reads them; "" after an error."""
    error: str = ""
    """uv's own words."""
    built: frozenset[str] = frozenset()
    """Packages that have no wheel in any version, and are plain Python: pip builds them when it installs them."""


def resolve(requirements: Iterable[str], conditions: Conditions) -> Answer:
    """Resolve requirements together with the stack's own, whose versions win.

    Every package comes as a wheel, because a host has no compiler. A package that publishes no wheel in any version is
    taken as source if it is plain Python.

    Args:
        requirements: lines as pip reads them.
        conditions: what limits the versions.

    Raises:
        ResolverMissing: uv cannot be run.
    """
    wanted = list(requirements)
    built: frozenset[str] = frozenset()
    answer = Answer()
    for _ in range(MAX_ROUNDS):
        answer = _resolve_with(wanted, conditions, built)
        named = frozenset(WITHOUT_WHEELS.findall(answer.error)) - built
        new = frozenset(name for name in named if not has_wheel(f"{name}>=0", conditions))
        if not answer.error or not new:
            break
        built |= new
    if answer.error or not answer.built:
        return answer
    versions = dict(re.findall(r"^([a-z0-9._-]+)==([^\s;\\]+)", answer.lock, re.MULTILINE))
    compiled = [name for name in sorted(answer.built) if not _is_plain_python(name, versions[name])]
    if compiled:
        return Answer(error=f"cause: {', '.join(compiled)} has no usable wheels, and its source needs a compiler")
    return answer


def _resolve_with(wanted: list[str], conditions: Conditions, built: frozenset[str]) -> Answer:
    if not built:
        lock, error = _compile(wanted, conditions, "--only-binary", ":all:", "--generate-hashes")
        return _verify(Answer(lock, error), conditions)
    # uv has no way to say "wheels for all but these": first find out which names are needed.
    draft, error = _compile(wanted, conditions, "--format", "pylock.toml")
    if error:
        return Answer(error=error)
    binary = [f"--only-binary={name}" for name in _packages_of(draft) if name not in built]
    draft, error = _compile(wanted, conditions, *binary, "--format", "pylock.toml")
    if error:
        return Answer(error=error)
    packages = _packages_of(draft)
    without = [name for name, has_wheels in packages.items() if not has_wheels and name not in built]
    if without:
        return Answer(error="\n".join(f"{name} has no usable wheels" for name in without))
    lock, error = _compile(wanted, conditions, *binary, "--generate-hashes")
    return _verify(Answer(lock, error, built & packages.keys()), conditions)


def _verify(answer: Answer, conditions: Conditions) -> Answer:
    """Check the wheels of a list: --universal accepts those that are for other versions of Python alone."""
    pins = re.findall(r"^([a-z0-9._-]+==[^\\]+?) \\$", answer.lock, re.MULTILINE)
    wheels = [pin for pin in pins if pin.split("==")[0] not in answer.built]
    if answer.error or not wheels:
        return answer
    error = _check(wheels, conditions)
    return Answer(error=error) if error else answer


def _packages_of(draft: str) -> dict[str, bool]:
    """Return the packages of a pylock.toml (PEP 751), and whether each has a wheel."""
    return {package["name"]: bool(package.get("wheels")) for package in tomllib.loads(draft).get("packages", [])}


@functools.cache  # adopt asks twice about the same pins
def check_alone(requirement: str, conditions: Conditions) -> str:
    """Return why a requirement cannot be installed as a wheel, in uv's words; "" if it can.

    Raises:
        ResolverMissing: uv cannot be run.
    """
    return _check([requirement], conditions)


def _check(requirements: list[str], conditions: Conditions) -> str:
    """Return why these cannot be installed as wheels by this very version of Python, in uv's words; "" if they can."""
    with tempfile.TemporaryDirectory() as folder:
        wanted = _write(folder, requirements)
        command = [find_uv(), "pip", "compile", "--quiet", wanted, "--no-deps", "--only-binary", ":all:", "--no-header"]
        ended = _run([*command, *conditions.options, "--python-platform", PLATFORM], folder)
    return "" if ended.returncode == 0 else ended.stderr.strip() or "uv failed"


def _write(folder: str, requirements: list[str]) -> str:
    path = Path(folder, "project.in")
    path.write_text("".join(f"{requirement}\n" for requirement in requirements))
    return str(path)


def has_wheel(requirement: str, conditions: Conditions) -> bool:
    """Return whether any version that fits has a wheel. Raises ResolverMissing."""
    return not check_alone(requirement, conditions)


def _is_plain_python(name: str, version: str) -> bool:
    """Build a package from its source and return whether the result has no machine code."""
    with tempfile.TemporaryDirectory() as folder:
        command = [find_uv(), "pip", "install", "--quiet", "--no-deps", f"--no-binary={name}", "--target", folder]
        command += ["--python", sys.executable, f"{name}=={version}"]
        return _run(command, folder).returncode == 0 and not [*Path(folder).rglob("*.so"), *Path(folder).rglob("*.pyd")]


def _compile(requirements: list[str], conditions: Conditions, *options: str) -> tuple[str, str]:
    """Return (what uv printed, "") or ("", what it says about the failure)."""
    with tempfile.TemporaryDirectory() as folder:
        site = [str(SITE_REQUIREMENTS), "--override", str(SITE_REQUIREMENTS)]
        command = [find_uv(), "pip", "compile", "--quiet", _write(folder, requirements), *site, "--universal"]
        command += [*conditions.options, "--no-header", "--no-annotate", "--no-emit-index-url", *options]
        ended = _run(command, folder)
    return (ended.stdout, "") if ended.returncode == 0 else ("", ended.stderr.strip() or "uv failed")


def _run(command: list[str], folder: str) -> subprocess.CompletedProcess[str]:
    try:
        ended = subprocess.run(
            command, capture_output=True, text=True, timeout=RESOLVE_TIMEOUT_SECONDS, check=False, cwd=folder
        )
    except FileNotFoundError:
        raise ResolverMissing("uv is not installed: pip install uv") from None
    except subprocess.TimeoutExpired:
        raise ResolverMissing(f"uv did not finish within {RESOLVE_TIMEOUT_SECONDS} s") from None
    if ended.returncode and NOT_REACHED.search(ended.stderr):
        raise ResolverMissing("the index of packages cannot be reached: see uv's own settings")
    return ended


def find_uv() -> str:
    """Return the command uv: the one beside this Python, or the one in PATH."""
    beside = Path(sys.executable).with_name("uv")
    return str(beside) if os.access(beside, os.X_OK) else shutil.which("uv") or "uv"


def explain(error: str) -> str:
    """Return uv's explanation of a failure as one line, in the words of someone who has a project."""
    match = re.search(r"(?:cause:|╰─▶)\s*(.*?)(?:\n\n|\nhint:|$)", error, re.DOTALL)
    text = " ".join((match[1] if match else error).split())
    text = text.replace(", we can conclude that your requirements are unsatisfiable.", "")
    return text.replace("you require", "the project requires").rstrip(".")
