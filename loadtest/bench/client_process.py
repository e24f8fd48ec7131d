"""The client program, from outside: start it, tell it what to do, get its answers."""

import json
import subprocess
import sys
from dataclasses import asdict
from types import TracebackType
from typing import Any, Self

from loadtest.bench import message
from loadtest.bench.client.room import Plan
from loadtest.bench.contenders.contender import Target
from loadtest.bench.programs import REPO

SENDERS = 8  # members who take turns in speaking, where there are so many


class ClientFailed(Exception):
    """The client program broke; its traceback is above."""


class Client:
    """Use as a context manager. Calls are the methods of client/room.py's Room."""

    def __init__(
        self,
        target: Target,
        members: int,
        *,
        senders: int = SENDERS,
        listeners: int | None = None,
        text_bytes: int = message.TEXT_BYTES,
    ) -> None:
        plan = Plan(
            dialect=target.dialect,
            address=target.address,
            path=target.path,
            members=members,
            senders=min(senders, members),
            listeners=members if listeners is None else listeners,
            cookies=target.cookies,
            post_to=target.post_to,
            text_bytes=text_bytes,
        )
        self.process = subprocess.Popen(
            [sys.executable, "-m", "loadtest.bench.client"],
            cwd=REPO,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self._write(asdict(plan))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        assert self.process.stdin
        assert self.process.stdout
        self.process.kill()
        self.process.wait()
        self.process.stdin.close()
        self.process.stdout.close()

    def _write(self, words: dict[str, Any]) -> None:
        assert self.process.stdin
        self.process.stdin.write(json.dumps(words) + "\n")
        self.process.stdin.flush()

    def ask(self, do: str, **words: Any) -> dict[str, Any]:
        """Have something done, and wait until it is."""
        self.begin(do, **words)
        return self.answer()

    def begin(self, do: str, **words: Any) -> None:
        """Have something done; `answer` waits for it."""
        try:
            self._write({"do": do, **words})
        except BrokenPipeError:
            raise ClientFailed from None

    def answer(self) -> dict[str, Any]:
        assert self.process.stdout
        line = self.process.stdout.readline()
        if not line:
            raise ClientFailed
        answer: dict[str, Any] = json.loads(line)
        return answer
