"""CPU and memory of a server on this machine, second by second, from the ids of its processes."""

import json
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TypedDict

from loadtest.core.processes import Process, Usage, find_families, measure_usage
from loadtest.load.plan import BadPlan

FIND_INTERVAL_SECONDS = 5.0  # after which children are looked for again


class UsageRow(TypedDict):
    """One second of the server, by name of its processes."""

    second: int  # since the run began
    cpu: dict[str, float]  # shares of one core
    mib: dict[str, float]


class ServerUsage:
    """Measures a server.

    Args:
        roots: a process id for each name. Child processes count with their parent.

    Attributes:
        began: the zero of the rows, by time.monotonic.
        rows: one for each call of `sample` but the first.
    """

    def __init__(self, roots: dict[str, int]) -> None:
        self.roots = roots
        self.began = time.monotonic()
        self.rows: list[UsageRow] = []
        self._families: dict[str, list[Process]] = {}
        self._found_at = 0.0
        self._before: dict[str, float] = {}
        self._sampled_at = 0.0

    @classmethod
    def from_path(cls, path: Path) -> "ServerUsage":
        """Read process ids from the ready file of `make run`, or from a folder of <name>.pid files.

        Raises:
            BadPlan: there are no process ids.
        """
        try:
            return cls.from_pid_files(path) if path.is_dir() else cls.from_ready_file(path)
        except (OSError, ValueError, KeyError) as error:
            raise BadPlan(f"{path} does not contain process ids: {error!r}") from error

    @classmethod
    def from_ready_file(cls, path: Path) -> "ServerUsage":
        """Read the file that `make run` writes for STACK_READY_FILE. Raises OSError, ValueError or KeyError."""
        return cls(json.loads(path.read_text())["pids"])

    @classmethod
    def from_pid_files(cls, folder: Path) -> "ServerUsage":
        """Read a folder of <name>.pid files. Raises OSError or ValueError."""
        return cls({file.stem: int(file.read_text()) for file in sorted(folder.glob("*.pid"))})

    def measure(self) -> dict[str, Usage]:
        """Return CPU seconds and bytes by name."""
        if (now := time.monotonic()) - self._found_at > FIND_INTERVAL_SECONDS:
            self._families = find_families(self.roots)
            self._found_at = now
        return {name: measure_usage(family) for name, family in self._families.items()}

    def sample(self) -> None:
        """Add a row about the time since the last call."""
        now, used = time.monotonic(), self.measure()
        if self._before:
            passed = now - self._sampled_at
            self.rows.append(
                UsageRow(
                    second=int(now - self.began),
                    cpu={
                        name: max(0.0, (one.cpu - self._before.get(name, one.cpu)) / passed)
                        for name, one in used.items()
                    },
                    mib={name: one.rss / 2**20 for name, one in used.items()},
                )
            )
        self._before, self._sampled_at = {name: one.cpu for name, one in used.items()}, now


def measure_slope(points: Sequence[tuple[float, float]]) -> float:
    """Return the slope of the least-squares line through these points; 0 if they all have the same x."""
    mean_x = sum(x for x, _ in points) / len(points)
    mean_y = sum(y for _, y in points) / len(points)
    spread = sum((x - mean_x) ** 2 for x, _ in points)
    return sum((x - mean_x) * (y - mean_y) for x, y in points) / spread if spread else 0.0
