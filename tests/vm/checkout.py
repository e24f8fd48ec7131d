"""Releases to deploy: copies of this repository, each a commit further, some of them broken."""

import subprocess
from collections.abc import Callable
from pathlib import Path

from tests.running import REPO


class Checkout:
    def __init__(self, folder: Path) -> None:
        self.folder = folder
        subprocess.run(["git", "clone", "-q", "--no-hardlinks", REPO, folder], check=True)
        self.git("config", "user.email", "test@example.org")
        self.git("config", "user.name", "Test")

    def git(self, *words: str) -> str:
        return subprocess.run(
            ["git", *words], cwd=self.folder, capture_output=True, text=True, check=True
        ).stdout.strip()

    def commit(
        self, path: str = "CHANGELOG.md", change: Callable[[str], str] = lambda text: text + "\nOne more.\n"
    ) -> str:
        """Change a file; returns the release's name."""
        file = self.folder / path
        file.write_text(change(file.read_text() if file.exists() else ""))
        self.git("add", path)
        self.git("commit", "-qm", f"Change {path}")
        return self.git("describe", "--always", "--tags")
