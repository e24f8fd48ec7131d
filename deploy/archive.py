"""Packs a program of this folder as one zip archive that Python runs on another machine: `pack_program`.

The doctor and the preflight are sent to hosts in this way, so a host needs Python alone.
"""

import io
import zipfile
from collections.abc import Iterable
from pathlib import Path

DEPLOY = Path(__file__).resolve().parent


def pack_program(files: Iterable[Path], main: str) -> bytes:
    """Return a zip archive that Python runs.

    Args:
        files: modules and folders below deploy/; of a folder all modules are packed.
        main: the text of the archive's __main__.py.
    """
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as packed:
        packed.writestr("__main__.py", main)
        packed.writestr("deploy/__init__.py", "")
        for path in files:
            for file in sorted(path.rglob("*.py")) if path.is_dir() else [path]:
                packed.write(file, str(Path("deploy", file.relative_to(DEPLOY))))
    return archive.getvalue()
