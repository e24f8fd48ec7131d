"""Copies this release's static files to where nginx serves them: publish_static.py FROM TO.

Nothing is taken away: pages that the previous release has sent ask for its files until they are reloaded, and the
names carry their content's hash. A file is whole from the moment it can be seen.
"""

import filecmp
import shutil
import sys
from pathlib import Path


def publish(source: Path, target: Path) -> int:
    """Return how many files were new or had changed."""
    changed = 0
    for file in source.rglob("*"):
        there = target / file.relative_to(source)
        if file.is_dir():
            there.mkdir(exist_ok=True)
        elif not there.exists() or not filecmp.cmp(file, there, shallow=False):
            there.parent.mkdir(parents=True, exist_ok=True)
            new = there.with_name(there.name + ".new")
            shutil.copyfile(file, new)
            new.rename(there)
            changed += 1
    return changed


if __name__ == "__main__":
    print(f"{publish(Path(sys.argv[1]), Path(sys.argv[2]))} static files published")
