"""Runs the services: starts them, prints their output, restarts those that end or hang, and stops all in order."""

import os
import resource
import signal
import subprocess
import sys
import threading
import time
from collections import deque
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from queue import Empty, SimpleQueue

from honcho.printer import Message, Printer

from deploy.local.readiness import Announcement, NotReady, Ready
from deploy.local.services import STOP_TIMEOUT_SECONDS, Service, end_with_parent
from deploy.local.watchdog import Unresponsive, Watchdog
from deploy.program import PROGRAM

STABLE_AFTER_SECONDS = 10  # a service that ran this long is restarted at once
MAX_RESTART_DELAY_SECONDS = 10  # for a service that keeps ending
HOLD_POLL_SECONDS = 0.1
# A service that ends so often in a row, each time so soon after its start, is missing: the operator is told once.
# A Celery worker with a wrong setting may run longer than STABLE_AFTER_SECONDS before it ends.
MAX_SHORT_LIVES, SHORT_LIFE_SECONDS = 3, 60
NOTIFY_SOCKET_NAME = "notify"
KEPT_LINES = 10  # of the output of each process, without empty ones


@dataclass(frozen=True)
class Line:
    """A service printed a line."""

    name: str
    text: bytes


@dataclass(frozen=True)
class Ended:
    """The process of a service ended; `status` is its exit code, or the negative number of a signal."""

    name: str
    status: int


@dataclass(frozen=True)
class Stop:
    """The supervisor received this signal, or STOP_TIMEOUT_SECONDS are over (SIGALRM)."""

    number: int


@dataclass
class Child:
    """A service and its process, if it has one now. Times are of time.monotonic()."""

    service: Service
    process: subprocess.Popen[bytes] | None = None
    started: float = 0.0
    failures: int = 0
    short_lives: int = 0
    next_start: float | None = None
    kill_at: float | None = None
    last_lines: deque[str] = field(default_factory=lambda: deque(maxlen=KEPT_LINES))


Event = Line | Ended | Stop | Ready | NotReady | Unresponsive


class Supervisor:
    """Runs the services until a signal stops them.

    `running` has the processes of services that were started before, by name; their output must be a pipe.
    The folder `run` has the file <name>.pid of each process. While <name>.hold exists there, an ended process is not
    restarted. A server that hangs is ended with SIGABRT, at which it prints its stack, and then restarted.
    """

    def __init__(
        self,
        services: list[Service],
        run: Path,
        announcement: Announcement,
        running: Mapping[str, subprocess.Popen[bytes]] | None = None,
    ) -> None:
        self.children = {service.name: Child(service) for service in services}
        self.running = dict(running or {})
        self.folder = run
        self.announcement = announcement
        self.events: SimpleQueue[Event] = SimpleQueue()
        self.watchdog = Watchdog(run / NOTIFY_SOCKET_NAME, self.events.put)
        self.ready = False
        self.printer = Printer(sys.stdout, width=max(map(len, self.children)))

    def run(self) -> int:
        """Start all services and return when all have stopped: 0 after a signal, 1 when the start failed."""
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, lambda number, _: self.events.put(Stop(number)))
        raise_file_limit()
        self.watchdog.start()
        try:
            for child in self.children.values():
                self.start(child)
            self.announcement.await_ready(self.events.put)
            return self.loop()
        finally:
            self.stop()
            self.watchdog.close()
            self.announcement.withdraw()

    def loop(self) -> int:
        """Handle events until a signal or a failed start; return the exit code."""
        while True:
            match self.next_event():
                case Line(name, text):
                    if line := text.decode(errors="replace").rstrip():
                        self.children[name].last_lines.append(line)
                    self.print(name, text)
                case Ended(name, status) if self.ready:
                    self.schedule_restart(self.children[name], status)
                case Ended(name, status):
                    self.clear_process(self.children[name])
                    title = self.announcement.title
                    self.log(f"{name} {describe_end(status)} before {title} was ready; its output is above.")
                    return 1
                case Ready():
                    self.ready = True
                    self.announcement.publish(
                        {name: child.process.pid for name, child in self.children.items() if child.process}
                    )
                case Unresponsive(name, pid, seconds):
                    self.abort(self.children[name], pid, seconds)
                case NotReady(reason):
                    self.log(f"{self.announcement.title} is not ready: {reason}")
                    return 1
                case Stop(number):
                    self.log(f"{signal.Signals(number).name}: stopping")
                    return 0
            self.start_due()
            self.kill_due()

    def next_event(self) -> Event | None:
        """Wait for the next event and return it; None when a service is due to be restarted or killed before that."""
        moments = [moment for child in self.children.values() for moment in (child.next_start, child.kill_at)]
        due = [moment for moment in moments if moment is not None]
        try:
            return self.events.get(timeout=max(0.0, min(due) - time.monotonic()) if due else None)
        except Empty:
            return None

    # --- one process

    def start(self, child: Child) -> None:
        """Start the process of a service, and a thread that reports its output and its end."""
        service = child.service
        if service.socket:
            service.socket.unlink(missing_ok=True)  # a killed process leaves it
        process = self.running.pop(service.name, None) or subprocess.Popen(
            end_with_parent(service.command),
            cwd=service.folder,
            env=self.environment_of(service),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,  # Ctrl-C must not reach the services: they are stopped in order
        )
        child.process, child.started, child.next_start = process, time.monotonic(), None
        child.last_lines.clear()
        self.write_pid(service.name, process.pid)
        if service.watchdog:
            self.watchdog.watch(service.name, process.pid, service.watchdog)
        threading.Thread(target=self.watch, args=(service.name, process), daemon=True).start()

    def environment_of(self, service: Service) -> dict[str, str]:
        """Return the environment of a service's process."""
        if service.watchdog is None:
            return service.env
        ours = {name: value for name, value in service.env.items() if name != "WATCHDOG_PID"}  # of our own watchdog
        return ours | self.watchdog.environment(service.watchdog)

    def watch(self, name: str, process: subprocess.Popen[bytes]) -> None:
        """Report the lines that the process prints, and its end. This runs in a thread of its own."""

        def read() -> None:
            assert process.stdout
            for text in process.stdout:
                self.events.put(Line(name, text))

        reader = threading.Thread(target=read, daemon=True)
        reader.start()
        status = process.wait()
        kill_group(process.pid)  # workers of a killed main process would keep its port
        reader.join(timeout=1)
        self.events.put(Ended(name, status))

    def schedule_restart(self, child: Child, status: int) -> None:
        """Log that the process ended and restart it: at once, or with a growing delay while it keeps ending."""
        age = time.monotonic() - child.started
        self.clear_process(child)
        child.failures = 0 if age >= STABLE_AFTER_SECONDS else child.failures + 1
        child.short_lives = child.short_lives + 1 if age < SHORT_LIFE_SECONDS else 0
        delay = min(2.0 ** (child.failures - 2), MAX_RESTART_DELAY_SECONDS) if child.failures > 1 else 0.0
        child.next_start = time.monotonic() + delay
        when = f"in {delay:.0f} s" if delay >= 1 else "now"
        self.log(f"{child.service.name} {describe_end(status)}; restarting it {when}")
        if child.short_lives == MAX_SHORT_LIVES:
            self.warn_of_failures(child, status)

    def abort(self, child: Child, pid: int, seconds: float) -> None:
        """End a process that hangs, so that it prints its stack; where it does not end by that, kill_due kills it."""
        if child.process is None or child.process.pid != pid or child.service.watchdog is None:
            return  # it has ended meanwhile
        self.log(f"{child.service.name} (pid {pid}) has hung for {seconds:g} s: ending it with SIGABRT")
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGABRT)
            os.kill(pid, signal.SIGCONT)  # a stopped process handles no signal before that
        child.kill_at = time.monotonic() + child.service.watchdog.abort_seconds

    def kill_due(self) -> None:
        """Kill the processes that SIGABRT has not ended in time."""
        for child in self.children.values():
            if child.kill_at is not None and child.kill_at <= time.monotonic():
                child.kill_at = None
                if child.process:
                    kill_group(child.process.pid)

    def warn_of_failures(self, child: Child, status: int) -> None:
        """Log that the site runs without a service that keeps ending, with the last lines that it printed."""
        name, title = child.service.name, self.announcement.title
        self.log(
            f"WARNING: {title} runs without {name}, which ended {child.short_lives} times in a row, each time within"
            f" {SHORT_LIFE_SECONDS} s of its start. The last time it {describe_end(status)}. Its last lines:"
        )
        for line in child.last_lines or ["(it printed nothing)"]:
            self.log(f"    {line}")
        self.log(f"It is started again and again. Stop this run to correct {name}.")

    def start_due(self) -> None:
        """Restart the services whose time has come, but for those that a .hold file holds."""
        for child in self.children.values():
            if child.next_start is not None and child.next_start <= time.monotonic():
                if (self.folder / f"{child.service.name}.hold").exists():
                    child.next_start = time.monotonic() + HOLD_POLL_SECONDS
                else:
                    self.start(child)

    # --- stopping

    def stop(self) -> None:
        """Stop one group of services after the other; kill what does not end. A second Ctrl-C kills at once."""
        gracefully = True
        for group in sorted({child.service.stop_order for child in self.children.values()}):
            members = [c for c in self.children.values() if c.service.stop_order == group and c.process]
            for child in members:
                with suppress(ProcessLookupError):
                    os.kill(child.process.pid, signal.SIGTERM if gracefully else signal.SIGKILL)  # type: ignore[union-attr]
            timeout = max((child.service.stop_seconds for child in members), default=0)
            ended = self.await_end(members, deadline=time.monotonic() + timeout)
            gracefully = gracefully and ended
        self.log("all stopped")

    def await_end(self, members: list[Child], *, deadline: float) -> bool:
        """Return when these services have ended: True, or False when they had to be killed.

        They are killed at the deadline (a time of time.monotonic()) or when another signal arrives.
        """
        gracefully = True
        while any(child.process for child in members):
            try:
                event = self.events.get(timeout=max(0.0, deadline - time.monotonic()))
            except Empty:
                event = Stop(signal.SIGALRM)
            match event:
                case Line(name, text):
                    self.print(name, text)
                case Ended(name):
                    self.clear_process(self.children[name])
                case Stop():
                    gracefully, deadline = False, time.monotonic() + STOP_TIMEOUT_SECONDS
                    for child in members:
                        if child.process:
                            self.log(f"{child.service.name} does not stop; killing it")
                            kill_group(child.process.pid)
        return gracefully

    def clear_process(self, child: Child) -> None:
        """Note that the service has no process, and remove its pid file."""
        if child.process:
            self.watchdog.forget(child.process.pid)
        child.process = child.kill_at = None
        (self.folder / f"{child.service.name}.pid").unlink(missing_ok=True)

    # --- output

    def write_pid(self, name: str, pid: int) -> None:
        """Write <name>.pid."""
        new = self.folder / f"{name}.pid.new"
        new.write_text(f"{pid}\n")
        new.rename(self.folder / f"{name}.pid")  # a reader never sees an empty file

    def log(self, text: str) -> None:
        """Print a line of the supervisor itself."""
        self.print("", text.encode())

    def print(self, name: str, text: bytes) -> None:
        """Print a line with its service's name in front; an empty name is the supervisor."""
        colour = self.children[name].service.colour if name else None
        # A closed terminal takes no more output; its SIGHUP ends the supervisor, not this error.
        with suppress(OSError):
            self.printer.write(Message("line", text, datetime.now().astimezone(), name or PROGRAM, colour))


def describe_end(status: int) -> str:
    """Return how a process ended, as the rest of a sentence about it."""
    return f"was killed ({signal.Signals(-status).name})" if status < 0 else f"ended with exit code {status}"


def kill_group(pid: int) -> None:
    """Kill the processes that are left of a process group."""
    with suppress(ProcessLookupError):
        os.killpg(pid, signal.SIGKILL)


def raise_file_limit() -> None:
    """Raise the soft limit of open files to the hard one: the usual 1024 are enough for 500 sockets only."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
