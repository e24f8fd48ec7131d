"""The client program, seen from outside: start it, tell it what to do, get its answers."""

import json
import subprocess
import sys
from dataclasses import asdict
from types import TracebackType
from typing import Any, Self, cast

from loadtest.bench.client.room import ClientPlan, CloseResult, ConnectResult, TalkResult
from loadtest.bench.contenders.contender import Target
from loadtest.bench.message import TEXT_CHARACTERS
from loadtest.core.host import REPO

SENDERS = 8  # members that send in turn, in a room that has so many


class ClientFailed(Exception):
    """The client program has ended with an error; its traceback is above."""


class Client:
    """One client program. A context manager; leaving it ends the program.

    Each method is the command of the same name of `loadtest.bench.client.room.Room`, and raises ClientFailed.
    """

    def __init__(
        self,
        target: Target,
        members: int,
        *,
        senders: int = SENDERS,
        listeners: int | None = None,
        characters: int = TEXT_CHARACTERS,
    ) -> None:
        plan = ClientPlan(
            protocol=target.protocol,
            address=target.address,
            path=target.path,
            members=members,
            senders=min(senders, members),
            listeners=members if listeners is None else listeners,
            cookies=target.cookies,
            post_to=target.post_to,
            characters=characters,
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

    def connect(self, *, members: int, max_connecting: int, timeout: float) -> ConnectResult:
        """Fill the room up to so many members."""
        return cast(
            "ConnectResult", self._ask("connect", members=members, max_connecting=max_connecting, timeout=timeout)
        )

    def idle(self, *, seconds: float) -> None:
        """Only listen."""
        self._ask("idle", seconds=seconds)

    def fixed_rate(self, *, rate: float, seconds: float) -> TalkResult:
        """Send so many messages a second."""
        self.start_fixed_rate(rate=rate, seconds=seconds)
        return cast("TalkResult", self.read_answer())

    def start_fixed_rate(self, *, rate: float, seconds: float) -> None:
        """Start to send so many messages a second; `read_answer` waits for the result."""
        self._start("fixed_rate", rate=rate, seconds=seconds)

    def saturate(self, *, seconds: float, window: int) -> TalkResult:
        """Keep so many messages on their way."""
        return cast("TalkResult", self._ask("saturate", seconds=seconds, window=window))

    def await_close(self, *, seconds: float) -> CloseResult:
        """Listen until the server has closed all connections."""
        self.start_await_close(seconds=seconds)
        return cast("CloseResult", self.read_answer())

    def start_await_close(self, *, seconds: float) -> None:
        """Start to wait for the server's closes; `read_answer` waits for the result."""
        self._start("await_close", seconds=seconds)

    def read_answer(self) -> Any:
        """Wait for the result of the command that was started."""
        assert self.process.stdout
        line = self.process.stdout.readline()
        if not line:
            raise ClientFailed
        return json.loads(line)

    def _ask(self, do: str, **arguments: Any) -> Any:
        self._start(do, **arguments)
        return self.read_answer()

    def _start(self, do: str, **arguments: Any) -> None:
        try:
            self._write({"do": do, **arguments})
        except BrokenPipeError:
            raise ClientFailed from None

    def _write(self, command: dict[str, Any]) -> None:
        assert self.process.stdin
        self.process.stdin.write(json.dumps(command) + "\n")
        self.process.stdin.flush()
