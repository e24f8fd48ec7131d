"""Where a project comes from: a folder, a commit of a git repository, or an archive. And the clean copy of it.

The source itself is never written to.
"""

import hashlib
import json
import os
import shutil
import stat
import subprocess
import tarfile
import tempfile
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from deploy.manifest import Manifest, WrongManifest
from deploy.manifest_rules import is_git_address, split_commit
from deploy.program import PROGRAM
from deploy.project.files import is_left_out_file, is_left_out_folder, is_sqlite_database

TAR_SUFFIXES = (".tar", ".tar.gz", ".tgz", ".tar.xz", ".tar.bz2")
ZIP_SUFFIXES = (".zip",)
ARCHIVE_SUFFIXES = (*TAR_SUFFIXES, *ZIP_SUFFIXES)
MAX_UNPACKED_BYTES = 4 * 1024**3  # an archive that says it has more is a mistake, or an attack
GIT_TIMEOUT_SECONDS = 600
# A repository's address comes from a file: git must not ask for a password, run a hook, or start another program.
GIT_OPTIONS = ("-c", "core.hooksPath=/dev/null", "-c", "protocol.ext.allow=never", "-c", "core.autocrlf=false")


class WrongSource(WrongManifest):
    """The source cannot be found, fetched, unpacked or copied: one sentence says which, and why."""


@dataclass(frozen=True)
class SourceCopy:
    """What `copy_source` did. Paths are relative to the source."""

    files: int
    changed: int
    """Files and links that were written, because they were new or had changed."""
    removed: int
    databases: tuple[str, ...]
    """Databases of SQLite that stayed behind."""
    outside_links: tuple[str, ...]
    """Symbolic links to places outside of the source, which stayed behind."""


def cache_folder() -> Path:
    """Return the program's folder for what was fetched and unpacked, below $XDG_CACHE_HOME or ~/.cache."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / PROGRAM


def open_source(manifest: Manifest) -> Path:
    """Return the folder with the project's files, after fetching or unpacking them where that is necessary.

    Raises:
        WrongSource: there is no such source.
    """
    return open_address(manifest.source, manifest.folder)


def open_address(source: str, folder: Path) -> Path:
    """Return the folder with the files of `source`, which may be relative to `folder`, or "" for `folder` itself.

    Raises:
        WrongSource: there is no such source.
    """
    if is_git_address(source):
        address, commit = split_commit(source)
        if not commit:
            raise WrongSource([f"source names no commit: {source}@COMMIT"])
        return fetch_commit(address, commit)
    path = folder / Path(source).expanduser()
    if path.name.endswith(ARCHIVE_SUFFIXES) and path.is_file():
        return unpack(path)
    if not path.is_dir():
        if path.exists():
            raise WrongSource([f"source: {path} is neither a folder nor an archive (.tar.gz, .zip)"])
        raise WrongSource([f"source: there is no {path}"])
    return path.resolve()


def fetch_commit(address: str, commit: str) -> Path:
    """Return a folder with one commit of a repository. It is fetched once.

    Raises:
        WrongSource: git is missing, or the repository or the commit cannot be fetched.
    """
    key = hashlib.sha256(address.encode()).hexdigest()[:16]
    target = cache_folder() / "git" / f"{key}-{commit}"
    if target.is_dir():
        return target
    with _new_folder(target) as folder:
        run_git("init", "--quiet", str(folder), reason=f"cannot make a repository in {folder}")
        shallow = run_git("-C", str(folder), "fetch", "--quiet", "--depth=1", "--", address, commit)
        if shallow:  # some servers hand out nothing but branches and tags
            run_git(
                *(
                    "-C",
                    str(folder),
                    "fetch",
                    "--quiet",
                    "--tags",
                    "--",
                    address,
                    "+refs/heads/*:refs/remotes/origin/*",
                ),
                reason=f"source: cannot fetch from {address}",
            )
        reason = f"source: {address} has no commit {commit}"
        run_git("-C", str(folder), "checkout", "--quiet", "--detach", commit, reason=reason)
        shutil.rmtree(folder / ".git")
    return target


def newest_commit(address: str) -> str:
    """Return the commit at the head of a repository's default branch.

    Raises:
        WrongSource: git is missing, or the repository cannot be reached.
    """
    command = ("git", *GIT_OPTIONS, "ls-remote", "--", address, "HEAD")
    result = _run(command)
    if result.returncode or not result.stdout.strip():
        raise WrongSource([f"source: cannot fetch from {address}: {_reason(result.stderr) or 'it is empty'}"])
    return result.stdout.split()[0]


def run_git(*arguments: str, reason: str = "") -> str:
    """Run git. Return "" when it succeeds, else why not.

    Raises:
        WrongSource: git failed, and `reason` is given: the beginning of the sentence. Or git is missing.
    """
    result = _run(("git", *GIT_OPTIONS, *arguments))
    if not result.returncode:
        return ""
    problem = _reason(result.stderr)
    if reason:
        raise WrongSource([f"{reason}: {problem}" if problem else reason])
    return problem or "git failed"


def _run(command: tuple[str, ...]) -> subprocess.CompletedProcess[str]:
    env = {**os.environ, "GIT_TERMINAL_PROMPT": "0", "LC_ALL": "C"}
    env["GIT_SSH_COMMAND"] = env.get("GIT_SSH_COMMAND", "ssh -o BatchMode=yes")
    try:
        return subprocess.run(
            command, env=env, capture_output=True, text=True, timeout=GIT_TIMEOUT_SECONDS, check=False
        )
    except FileNotFoundError:
        raise WrongSource(["source is a git address, and git is not installed: apt install git"]) from None
    except subprocess.TimeoutExpired:
        raise WrongSource([f"source: git did not finish within {GIT_TIMEOUT_SECONDS} s"]) from None


def _reason(text: str) -> str:
    """Return the line of git's output that says what went wrong: a hint may follow it."""
    lines = [line for line in text.splitlines() if line.strip()]
    fatal = [line for line in lines if line.startswith("fatal: ")]
    return (fatal or lines or [""])[0].removeprefix("fatal: ").removeprefix("error: ")


@dataclass
class _new_folder:  # noqa: N801  # a context manager reads as a function
    """A temporary folder beside `target` that takes its name when the block succeeds, and is removed otherwise."""

    target: Path
    _temporary: Path = field(init=False)

    def __enter__(self) -> Path:
        self.target.parent.mkdir(parents=True, exist_ok=True)
        self._temporary = Path(tempfile.mkdtemp(prefix=".new-", dir=self.target.parent))
        return self._temporary

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if kind is None:
            try:
                self._temporary.chmod(0o755)
                self._temporary.rename(self.target)
            except OSError:  # another process was faster
                if not self.target.is_dir():
                    raise
        shutil.rmtree(self._temporary, ignore_errors=True)


def unpack(archive: Path) -> Path:
    """Return a folder with the files of an archive. It is unpacked once. A single folder at its top is the project.

    Raises:
        WrongSource: it is not an archive, or has a path that leads out of it.
    """
    with archive.open("rb") as file:
        key = hashlib.file_digest(file, "sha256").hexdigest()[:32]
    target = cache_folder() / "archives" / key
    if not target.is_dir():
        with _new_folder(target) as folder:
            try:
                if archive.name.endswith(ZIP_SUFFIXES):
                    _unpack_zip(archive, folder)
                else:
                    _unpack_tar(archive, folder)
            except (tarfile.TarError, zipfile.BadZipFile, EOFError, OSError) as error:
                raise WrongSource([f"source: {archive} cannot be unpacked: {error}"]) from None
    entries = [path for path in target.iterdir() if path.name not in {"__MACOSX", "pax_global_header"}]
    return entries[0] if len(entries) == 1 and entries[0].is_dir() else target


def _unpack_tar(archive: Path, folder: Path) -> None:
    with tarfile.open(archive) as tar:
        members = tar.getmembers()
        _check_size(archive, sum(member.size for member in members))
        for member in members:
            _check_member(archive, member.name)
            if member.issym() or member.islnk():
                base = PurePosixPath(member.name).parent if member.issym() else PurePosixPath()
                _check_member(archive, os.path.normpath(base / member.linkname))
        if hasattr(tarfile, "data_filter"):
            tar.extractall(folder, filter="data")
        else:  # Python before 3.11.4: the names were checked above, and only plain entries are taken
            tar.extractall(folder, [m for m in members if m.isreg() or m.isdir() or m.issym() or m.islnk()])


def _unpack_zip(archive: Path, folder: Path) -> None:
    with zipfile.ZipFile(archive) as zipped:
        entries = zipped.infolist()
        _check_size(archive, sum(entry.file_size for entry in entries))
        for entry in entries:
            _check_member(archive, entry.filename)
            mode = entry.external_attr >> 16
            if stat.S_ISLNK(mode):
                raise WrongSource([f"source: {archive} has a symbolic link, {entry.filename}; use a .tar.gz"])
            written = Path(zipped.extract(entry, folder))
            if mode & 0o100 and written.is_file():
                written.chmod(0o755)


def _check_member(archive: Path, name: str) -> None:
    path = PurePosixPath(name.replace("\\", "/"))
    if path.is_absolute() or ".." in path.parts or (path.parts and path.parts[0].endswith(":")):
        raise WrongSource([f'source: {archive} has an entry "{name}", which leads out of the archive'])


def _check_size(archive: Path, size: int) -> None:
    if size > MAX_UNPACKED_BYTES:
        raise WrongSource([f"source: {archive} would take {size // 1024**2} MiB; at most 4096 MiB are unpacked"])


@dataclass
class _Plan:
    """What a copy of a folder consists of. Keys are relative paths."""

    folders: list[str] = field(default_factory=list)
    files: dict[str, os.stat_result] = field(default_factory=dict)
    links: dict[str, str] = field(default_factory=dict)
    """Path -> relative target, inside the copy."""
    databases: list[str] = field(default_factory=list)
    outside_links: list[str] = field(default_factory=list)


def copy_source(manifest: Manifest, destination: Path) -> SourceCopy:
    """Make `destination` a clean copy of the project: without history, environments, caches and SQLite databases.

    A second call writes what has changed, and removes what an earlier call wrote and the source no longer has. What
    else is in `destination`, such as the output of a build, stays. Files keep their times and modes.

    Raises:
        WrongSource: the source cannot be read, or `destination` is inside of it.
    """
    source = open_source(manifest)
    destination = destination.resolve()
    if destination == source or destination.is_relative_to(source):
        raise WrongSource([f"{destination} is inside the project's folder {source}, which is never written to"])
    plan = _plan_copy(source)
    record = destination.with_name(f".{destination.name}.copied")
    before = _read_record(record)
    wanted = {*plan.folders, *plan.files, *plan.links}
    try:
        removed = _remove_old(destination, before - wanted)
        changed = _write(source, destination, plan)
        if before != wanted:
            record.write_text(json.dumps(sorted(wanted)))
    except OSError as error:
        raise WrongSource([f"cannot copy {error.filename}: {error.strerror}"]) from None
    return SourceCopy(
        len(plan.files) + len(plan.links), changed, removed, tuple(plan.databases), tuple(plan.outside_links)
    )


def _plan_copy(source: Path) -> _Plan:
    plan = _Plan()
    for entry, path in _scan(source, source):
        if entry.is_symlink():
            target = (path.parent / os.readlink(entry.path)).resolve()
            if target.is_relative_to(source) and target.exists():
                plan.links[str(path.relative_to(source))] = os.path.relpath(target, path.parent.resolve())
            else:
                plan.outside_links.append(str(path.relative_to(source)))
        elif entry.is_dir():
            plan.folders.append(str(path.relative_to(source)))
        elif is_sqlite_database(path):
            plan.databases.append(str(path.relative_to(source)))
        elif entry.is_file():  # sockets, pipes and devices have nothing to copy
            plan.files[str(path.relative_to(source))] = entry.stat()
    return plan


def _scan(source: Path, folder: Path) -> Iterator[tuple[os.DirEntry[str], Path]]:
    """Yield what belongs to the project, a folder before what it has."""
    try:
        entries = sorted(os.scandir(folder), key=lambda entry: entry.name)
    except OSError as error:
        raise WrongSource([f"cannot read {folder}: {error.strerror}"]) from None
    for entry in entries:
        path = Path(entry.path)
        if entry.is_dir(follow_symlinks=False):
            if not is_left_out_folder(path):
                yield entry, path
                yield from _scan(source, path)
        elif not is_left_out_file(entry.name):
            yield entry, path


def _read_record(record: Path) -> set[str]:
    try:
        paths = json.loads(record.read_text())
    except (OSError, ValueError):
        return set()
    return {path for path in paths if isinstance(path, str)}


def _remove_old(destination: Path, paths: set[str]) -> int:
    """Remove what an earlier copy wrote. Folders go last, and stay while a build has put something into them."""
    removed = 0
    for path in sorted((destination / path for path in paths), key=lambda path: len(path.parts), reverse=True):
        if path.is_dir() and not path.is_symlink():
            if not any(path.iterdir()):
                path.rmdir()
        elif path.is_symlink() or path.exists():
            path.unlink()
            removed += 1
    return removed


def _write(source: Path, destination: Path, plan: _Plan) -> int:
    changed = 0
    destination.mkdir(parents=True, exist_ok=True)
    for name in plan.folders:
        folder = destination / name
        if folder.is_symlink() or (folder.exists() and not folder.is_dir()):
            folder.unlink()
        folder.mkdir(exist_ok=True)
    for name, facts in plan.files.items():
        target = destination / name
        if _is_same(target, facts):
            continue
        if target.is_dir() and not target.is_symlink():
            shutil.rmtree(target)
        new = target.with_name(f".{target.name}.new")
        shutil.copy2(source / name, new, follow_symlinks=False)
        new.replace(target)
        changed += 1
    for name, link in plan.links.items():
        target = destination / name
        if target.is_symlink() and os.readlink(target) == link:
            continue
        if target.is_dir() and not target.is_symlink():
            shutil.rmtree(target)
        target.unlink(missing_ok=True)
        target.symlink_to(link)
        changed += 1
    return changed


def _is_same(target: Path, facts: os.stat_result) -> bool:
    try:
        there = target.lstat()
    except OSError:
        return False
    return (there.st_size, there.st_mtime_ns, there.st_mode) == (facts.st_size, facts.st_mtime_ns, facts.st_mode)
