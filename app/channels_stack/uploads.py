"""A copy of the folder of uploaded files, as a tar archive, beside the backup of the database.

The archive of an unchanged folder is the same, byte for byte, so that it need not be stored twice.
"""

import filecmp
import os
import shutil
import tarfile
import tempfile
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

WORK_PREFIX = ".restore-"  # of the folder in which a restore prepares; it belongs to no backup


class Failed(Exception):
    """The archive is no copy of uploaded files; the message is a sentence that says why."""


def archive(folder: Path, file: Path) -> None:
    """Write the folder's regular files and folders into an existing, empty file. A folder that is absent is empty.

    A file that is deleted meanwhile is left out.

    Raises:
        OSError: A file cannot be read, or the archive cannot be written.
    """
    with tarfile.open(file, "w", format=tarfile.PAX_FORMAT) as tar:
        for path in _walk(folder):
            try:
                member = tar.gettarinfo(path, arcname=path.relative_to(folder).as_posix())
                if member.isdir():
                    tar.addfile(_anonymous(member))
                elif path.is_file() and not path.is_symlink():
                    # gettarinfo would store the second name of one file as a link.
                    member.type, member.linkname = tarfile.REGTYPE, ""
                    with path.open("rb") as opened:
                        member.size = os.fstat(opened.fileno()).st_size
                        tar.addfile(_anonymous(member), opened)
            except FileNotFoundError:
                continue


def _walk(folder: Path) -> Iterator[Path]:
    """Yield everything below a folder in a fixed order, a folder before its content."""
    for parent, folders, files in os.walk(folder):
        folders[:] = sorted(name for name in folders if not name.startswith(WORK_PREFIX))
        for name in sorted([*folders, *files]):
            yield Path(parent) / name


def _anonymous(member: tarfile.TarInfo) -> tarfile.TarInfo:
    """Leave the owner out: a backup may be restored on a host where the site's user has another number."""
    member.uid = member.gid = 0
    member.uname = member.gname = ""
    return member


def verify(file: Path) -> int:
    """Read the whole archive and return how many files it has.

    Raises:
        Failed: It is damaged, or has a member that no archive of ours has.
    """
    try:
        with tarfile.open(file, "r:") as tar:
            count = 0
            for member in tar:
                _check(file, member)
                if opened := tar.extractfile(member):
                    while opened.read(1 << 20):
                        pass
                    count += 1
            return count
    except (tarfile.TarError, EOFError) as error:
        raise Failed(f"{file} is damaged: {error}.") from error


def _check(file: Path, member: tarfile.TarInfo) -> None:
    path = PurePosixPath(member.name)
    if path.is_absolute() or ".." in path.parts or not (member.isreg() or member.isdir()):
        raise Failed(f"{file} is no copy of uploaded files: it has {member.name!r}.")


def share_content(file: Path, older: Path) -> None:
    """Make a file a second name of an older one with the same content, so that it takes no space."""
    if filecmp.cmp(file, older, shallow=False):
        second = file.with_name(f"{file.name}.link")
        os.link(older, second)
        second.replace(file)


class Replacement:
    """Replaces a folder's content by an archive's in two steps: the long one changes nothing, the short one renames."""

    def __init__(self, file: Path, folder: Path) -> None:
        """Extract the archive beside the content. Raises Failed or OSError; then nothing has changed."""
        verify(file)
        folder.mkdir(parents=True, exist_ok=True)
        self._folder = folder
        self._work = Path(tempfile.mkdtemp(dir=folder, prefix=WORK_PREFIX))
        self._new, self._old = self._work / "new", self._work / "old"
        self._new.mkdir()
        self._old.mkdir()
        try:
            with tarfile.open(file, "r:") as tar:
                for member in tar:
                    _extract(tar, member, self._new / member.name)
        except BaseException:
            self.discard()
            raise

    def complete(self) -> None:
        """Put the new content in the place of the old one, and delete the old one. Raises OSError."""
        for path in list(self._folder.iterdir()):
            if not path.name.startswith(WORK_PREFIX):
                path.rename(self._old / path.name)
        for path in list(self._new.iterdir()):
            path.rename(self._folder / path.name)
        self.discard()

    def discard(self) -> None:
        """Delete what was prepared."""
        shutil.rmtree(self._work)


def _extract(tar: tarfile.TarFile, member: tarfile.TarInfo, path: Path) -> None:
    if member.isdir():
        path.mkdir(parents=True, exist_ok=True)
    elif source := tar.extractfile(member):
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("wb") as target:
            shutil.copyfileobj(source, target)
        os.utime(path, (member.mtime, member.mtime))
    path.chmod(member.mode & 0o777)
