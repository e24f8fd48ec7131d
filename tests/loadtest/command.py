"""`python -m loadtest` in a process of its own, because gevent's patches must not reach the tests."""

import asyncio
import json
import os
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

REPO = Path(__file__).parent.parent.parent
SECONDS = 90


@dataclass
class Done:
    """A load test that has ended."""

    code: int
    printed: str
    progress: str
    folder: Path

    @property
    def last_line(self) -> str:
        return self.printed.strip().splitlines()[-1]

    @property
    def result(self) -> dict[str, Any]:
        (file,) = self.folder.glob("*.json")
        found: dict[str, Any] = json.loads(file.read_text())
        return found

    @property
    def report(self) -> Path:
        (file,) = self.folder.glob("*.html")
        return file


class Running:
    """A load test under way."""

    def __init__(self, process: asyncio.subprocess.Process, folder: Path) -> None:
        self.process, self.folder = process, folder
        self.progress = ""

    @classmethod
    async def start(cls, folder: Path, *arguments: str, **environment: str) -> "Running":
        clean = {name: value for name, value in os.environ.items() if not name.startswith(("DJANGO_", "LOAD_"))}
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "loadtest",
            *arguments,
            "--out",
            str(folder),
            cwd=REPO,
            env={**clean, "LOAD_UNPINNED": "1", **environment},
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        return cls(process, folder)

    async def until(self, word: str) -> None:
        """Read its progress up to a line with this word."""
        assert self.process.stderr
        async with asyncio.timeout(SECONDS):
            while word not in self.progress:
                line = await self.process.stderr.readline()
                assert line, f"it ended without printing {word!r}: {self.progress}"
                self.progress += line.decode()

    def worker(self) -> int:
        """The id of its one worker process."""
        pid = self.process.pid
        (worker,) = map(int, Path(f"/proc/{pid}/task/{pid}/children").read_text().split())
        return worker

    async def end(self) -> Done:
        async with asyncio.timeout(SECONDS):
            printed, more = await self.process.communicate()
        assert self.process.returncode is not None
        return Done(self.process.returncode, printed.decode(), self.progress + more.decode(), self.folder)


async def load(folder: Path, *arguments: str, **environment: str) -> Done:
    return await (await Running.start(folder, *arguments, **environment)).end()
