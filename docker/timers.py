"""Runs the timers of a project in its container: timers.py FILE PROGRAM ARGUMENT...

FILE is a JSON object: name -> {"run": a command, "folder": where it runs, "calendar": when}. A timer's command is
started as PROGRAM ARGUMENT... FOLDER COMMAND; while it runs, its next time is skipped. At SIGTERM the commands that are
running get it, too.
"""

import datetime as dt
import json
import signal
import subprocess
import sys
import threading
from dataclasses import dataclass, field
from pathlib import Path

from deploy.containers.calendar_events import Calendar, parse_calendar


@dataclass
class Timer:
    """One timer: when it is due, and its command while that runs."""

    name: str
    command: list[str]
    calendar: Calendar
    due: dt.datetime | None = None
    running: subprocess.Popen[bytes] | None = None

    def plan(self, now: dt.datetime) -> None:
        """Set the next time."""
        self.due = self.calendar.next_after(now)

    def run_if_due(self, now: dt.datetime) -> None:
        """Start the command when its time has come, unless it is still running."""
        if self.running and (code := self.running.poll()) is not None:
            report(f"timer {self.name} ended with exit code {code}")
            self.running = None
        if not self.due or now < self.due:
            return
        if self.running:
            report(f"timer {self.name} is skipped: it is still running")
        else:
            report(f"timer {self.name} starts")
            self.running = subprocess.Popen(self.command)  # noqa: S603  a command of the manifest
        self.plan(now)


@dataclass
class Schedule:
    """All timers of a project."""

    timers: list[Timer]
    stopping: threading.Event = field(default_factory=threading.Event)

    def run(self) -> None:
        """Run the timers until SIGTERM or SIGINT, then wait for the commands that are running."""
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: self.stopping.set())
        now = dt.datetime.now(dt.UTC)
        for timer in self.timers:
            timer.plan(now)
            report(f"timer {timer.name} runs next at {timer.due}")
        while not self.stopping.wait(1):
            now = dt.datetime.now(dt.UTC)
            for timer in self.timers:
                timer.run_if_due(now)
        for timer in self.timers:
            if timer.running:
                timer.running.terminate()
                timer.running.wait()


def report(text: str) -> None:
    """Write one line to the container's log."""
    print(text, flush=True)


def read_timers(file: Path, program: list[str]) -> list[Timer]:
    """Return the timers of a file. Raises WrongCalendar."""
    return [
        Timer(name, [*program, timer["folder"], timer["run"]], parse_calendar(timer["calendar"]))
        for name, timer in json.loads(file.read_text()).items()
    ]


if __name__ == "__main__":
    Schedule(read_timers(Path(sys.argv[1]), sys.argv[2:])).run()
