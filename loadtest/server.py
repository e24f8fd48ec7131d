"""CPU and memory of a server on this machine, second by second, from its processes' ids."""

import json
import time
from pathlib import Path
from typing import Any

from loadtest import proc
from loadtest.plan import BadPlan

FAMILY_SECONDS = 5.0  # children are looked for as often


class Server:
    """`roots`: a process id for each name. Children count with their parent."""

    def __init__(self, roots: dict[str, int]) -> None:
        self.roots = roots
        self.began = time.monotonic()
        self.rows: list[dict[str, Any]] = []
        self._families: dict[str, set[int]] = {}
        self._looked = 0.0
        self._before: dict[str, float] = {}
        self._at = 0.0

    @classmethod
    def of(cls, path: Path) -> "Server":
        """A ready file or a folder of pid files. Raises BadPlan."""
        try:
            return cls.of_pid_files(path) if path.is_dir() else cls.of_ready_file(path)
        except (OSError, ValueError, KeyError) as error:
            raise BadPlan(f"{path} does not tell any process ids: {error!r}") from error

    @classmethod
    def of_ready_file(cls, path: Path) -> "Server":
        """Of a local run: the file that `make run` writes for PARLEY_READY_FILE."""
        return cls(json.loads(path.read_text())["pids"])

    @classmethod
    def of_pid_files(cls, folder: Path) -> "Server":
        """Of a folder of <name>.pid files. Raises OSError or ValueError."""
        return cls({file.stem: int(file.read_text()) for file in sorted(folder.glob("*.pid"))})

    def usage(self) -> dict[str, proc.Usage]:
        """CPU seconds and bytes by name."""
        if (now := time.monotonic()) - self._looked > FAMILY_SECONDS:
            self._families = proc.families(self.roots)
            self._looked = now
        return {name: proc.usage_of(family) for name, family in self._families.items()}

    def sample(self) -> None:
        """Add a row: shares of one core since the last one, and MiB."""
        now, used = time.monotonic(), self.usage()
        if self._before:
            passed = now - self._at
            self.rows.append(
                {
                    "second": int(now - self.began),
                    "cpu": {
                        name: max(0.0, (one.cpu - self._before.get(name, one.cpu)) / passed)
                        for name, one in used.items()
                    },
                    "mib": {name: one.rss / 2**20 for name, one in used.items()},
                }
            )
        self._before, self._at = {name: one.cpu for name, one in used.items()}, now
