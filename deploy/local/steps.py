"""The steps of a long command on its terminal: a line for each, and how long it took."""

import sys
import threading
import time
from types import TracebackType
from typing import Protocol, Self, TextIO

from deploy.program import PROGRAM

SLOW_SECONDS = 1.0  # a step that took less is one line without a time
TICK_SECONDS = 1.0
CLEAR_LINE = "\r\033[K"


class Report(Protocol):
    """Is called at the beginning of each step."""

    def __call__(self, step: str, *, has_output: bool = False) -> None:
        """Say what is done now. `has_output`: programs of the project print to the same terminal meanwhile."""


def ignore_step(step: str, *, has_output: bool = False) -> None:
    """Do nothing: a `Report` for a command without a terminal."""


def report(text: str) -> None:
    """Print a line of this program."""
    print(f"{PROGRAM}: {text}", flush=True)


class Steps:
    """Prints each step when it begins, and the seconds that a slow one took when it ends.

    On a terminal the seconds of the present step are counted below its line while it lasts. In a file or a pipe they
    are printed once. Use it as a context manager: the last step ends with it.

    Args:
        first: a first step.
        stream: where the lines are printed; standard output by default.
    """

    def __init__(self, first: str = "", stream: TextIO | None = None) -> None:
        self.stream = stream or sys.stdout
        self.is_terminal = self.stream.isatty()
        self._first = first
        self._began: float | None = None
        self._ended = threading.Event()
        self._ticker: threading.Thread | None = None

    def __enter__(self) -> Self:
        if self._first:
            self(self._first)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.end()

    def __call__(self, step: str, *, has_output: bool = False) -> None:
        """End the step before, and begin this one: a `Report`."""
        self.end()
        print(f"{PROGRAM}: {step}", file=self.stream, flush=True)
        self._began, self._ended = time.monotonic(), threading.Event()
        if self.is_terminal and not has_output:
            self._ticker = threading.Thread(target=self._tick, args=(self._began, self._ended), daemon=True)
            self._ticker.start()

    def end(self) -> None:
        """End the present step; nothing happens if there is none."""
        if self._began is None:
            return
        seconds, self._began = time.monotonic() - self._began, None
        self._ended.set()
        if self._ticker:
            self._ticker.join()
            self._ticker = None
        if seconds >= SLOW_SECONDS:
            print(f"{PROGRAM}:   took {seconds:.0f} s", file=self.stream, flush=True)

    def _tick(self, began: float, ended: threading.Event) -> None:
        """Count the seconds in the line below the step, and leave that line empty."""
        has_counted = False
        while not ended.wait(TICK_SECONDS):
            self.stream.write(f"{CLEAR_LINE}{PROGRAM}:   {time.monotonic() - began:.0f} s ...")
            self.stream.flush()
            has_counted = True
        if has_counted:
            self.stream.write(CLEAR_LINE)
            self.stream.flush()
