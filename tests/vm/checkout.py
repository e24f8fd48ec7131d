"""Releases to deploy: clones of this repository with more commits, some of them broken."""

import subprocess
from collections.abc import Callable
from pathlib import Path

from tests.running import REPO


class Checkout:
    """A clone of this repository in `folder`."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        subprocess.run(["git", "clone", "-q", "--no-hardlinks", REPO, folder], check=True)
        self.git("config", "user.email", "test@example.org")
        self.git("config", "user.name", "Test")

    def git(self, *arguments: str) -> str:
        """Run git and return its output."""
        return subprocess.run(
            ["git", *arguments], cwd=self.folder, capture_output=True, text=True, check=True
        ).stdout.strip()

    def commit(
        self, path: str = "CHANGELOG.md", change: Callable[[str], str] = lambda text: text + "\nOne more.\n"
    ) -> str:
        """Commit a changed file and return the name of the release."""
        file = self.folder / path
        file.write_text(change(file.read_text() if file.exists() else ""))
        self.git("add", path)
        self.git("commit", "-qm", f"Change {path}")
        return self.git("describe", "--always", "--tags")
