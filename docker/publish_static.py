"""Copy this release's static files to the volume that nginx serves: publish_static.py FROM TO.

It removes nothing: pages of the release before request its files until they are reloaded, and the names contain the
hash of the content. A file appears complete or not at all.
"""

import filecmp
import shutil
import sys
from pathlib import Path


def publish(source: Path, target: Path) -> int:
    """Copy the files below `source` that `target` lacks or has with other content. Return how many those were."""
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
    print(f"Published {publish(Path(sys.argv[1]), Path(sys.argv[2]))} static files")
