"""Runs the processes side by side: starts, prints, restarts what dies by itself, stops all in order."""

import os
import resource
import signal
import subprocess
import sys
import threading
import time
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from queue import Empty, SimpleQueue

from honcho.printer import Message, Printer

from deploy.local.layout import REPO
from deploy.local.ready import Announcement, NotReady, Ready
from deploy.local.services import Service, tied_to_us

STOP_SECONDS = 15  # for one group of services to finish its requests and say good-bye
STEADY_SECONDS = 10  # who lived this long is started again at once
LONGEST_PAUSE = 10  # seconds between two starts of what keeps dying


@dataclass(frozen=True)
class Line:
    name: str
    text: bytes


@dataclass(frozen=True)
class Ended:
    name: str
    status: int


@dataclass(frozen=True)
class Stop:
    number: int


@dataclass
class Child:
    """One service and its process, if it has one now."""

    service: Service
    process: subprocess.Popen[bytes] | None = None
    started: float = 0.0
    deaths: int = 0
    next_start: float | None = None


class Supervisor:
    """`run` folder: <name>.pid of every process; while <name>.hold exists there, a dead one stays away."""

    def __init__(self, services: list[Service], run: Path, announcement: Announcement) -> None:
        self.children = {service.name: Child(service) for service in services}
        self.folder = run
        self.announcement = announcement
        self.events: SimpleQueue[Line | Ended | Stop | Ready | NotReady] = SimpleQueue()
        self.ready = False
        self.printer = Printer(sys.stdout, width=max(map(len, self.children)))

    def run(self) -> int:
        """Return when everything has stopped: 0 when asked to, 1 when the start failed."""
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, lambda number, _: self.events.put(Stop(number)))
        raise_file_limit()
        try:
            for child in self.children.values():
                self.start(child)
            self.announcement.await_ready(self.events.put)
            return self.loop()
        finally:
            self.stop()
            self.announcement.withdraw()

    def loop(self) -> int:
        while True:
            match self.next_event():
                case Line(name, text):
                    self.print(name, text)
                case Ended(name, status) if self.ready:
                    self.bury(self.children[name], status)
                case Ended(name, status):
                    self.forget(self.children[name])
                    self.say(f"{name} {how_it_ended(status)} before Parley was ready; its last words are above.")
                    return 1
                case Ready():
                    self.ready = True
                    self.announcement.publish(
                        {name: child.process.pid for name, child in self.children.items() if child.process}
                    )
                case NotReady(reason):
                    self.say(f"Parley did not get ready: {reason}")
                    return 1
                case Stop(number):
                    self.say(f"{signal.Signals(number).name}: stopping")
                    return 0
            self.start_due()

    def next_event(self) -> Line | Ended | Stop | Ready | NotReady | None:
        due = [child.next_start for child in self.children.values() if child.next_start is not None]
        try:
            return self.events.get(timeout=max(0.0, min(due) - time.monotonic()) if due else None)
        except Empty:
            return None

    # --- one process

    def start(self, child: Child) -> None:
        service = child.service
        if service.socket:
            service.socket.unlink(missing_ok=True)  # left by one that was killed
        process = subprocess.Popen(
            tied_to_us(service.command),
            cwd=REPO / "app",
            env=service.env,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,  # Ctrl-C is for us alone: we stop them in order
        )
        child.process, child.started, child.next_start = process, time.monotonic(), None
        self.write_pid(service.name, process.pid)
        threading.Thread(target=self.listen, args=(service.name, process), daemon=True).start()

    def listen(self, name: str, process: subprocess.Popen[bytes]) -> None:
        """Thread: pass on what the process prints, and its end."""

        def read() -> None:
            assert process.stdout
            for text in process.stdout:
                self.events.put(Line(name, text))

        reader = threading.Thread(target=read, daemon=True)
        reader.start()
        status = process.wait()
        kill_group(process.pid)  # workers of a master that was killed would keep its port
        reader.join(timeout=1)
        self.events.put(Ended(name, status))

    def bury(self, child: Child, status: int) -> None:
        """Say it in one line and start it again: at once, or later and later if it keeps dying."""
        lived = time.monotonic() - child.started
        self.forget(child)
        child.deaths = 0 if lived >= STEADY_SECONDS else child.deaths + 1
        pause = min(2.0 ** (child.deaths - 2), LONGEST_PAUSE) if child.deaths > 1 else 0.0
        child.next_start = time.monotonic() + pause
        when = f"in {pause:.0f} s" if pause >= 1 else "now"
        self.say(f"{child.service.name} {how_it_ended(status)}; starting it again {when}")

    def start_due(self) -> None:
        for child in self.children.values():
            if child.next_start is not None and child.next_start <= time.monotonic():
                if (self.folder / f"{child.service.name}.hold").exists():
                    child.next_start = time.monotonic() + 0.1
                else:
                    self.start(child)

    # --- the end of all

    def stop(self) -> None:
        """Ask group after group to leave; kill what does not. A second Ctrl-C kills at once."""
        patience = True
        for group in sorted({child.service.leaves for child in self.children.values()}):
            members = [c for c in self.children.values() if c.service.leaves == group and c.process]
            for child in members:
                with suppress(ProcessLookupError):
                    os.kill(child.process.pid, signal.SIGTERM if patience else signal.SIGKILL)  # type: ignore[union-attr]
            patience = self.await_end(members, deadline=time.monotonic() + STOP_SECONDS) and patience
        self.say("all stopped")

    def await_end(self, members: list[Child], *, deadline: float) -> bool:
        """Return False when patience ran out, ours or the user's."""
        patient = True
        while any(child.process for child in members):
            try:
                event = self.events.get(timeout=max(0.0, deadline - time.monotonic()))
            except Empty:
                event = Stop(signal.SIGALRM)
            match event:
                case Line(name, text):
                    self.print(name, text)
                case Ended(name):
                    self.forget(self.children[name])
                case Stop():
                    patient, deadline = False, time.monotonic() + STOP_SECONDS
                    for child in members:
                        if child.process:
                            self.say(f"{child.service.name} does not stop: killing it")
                            kill_group(child.process.pid)
        return patient

    def forget(self, child: Child) -> None:
        child.process = None
        (self.folder / f"{child.service.name}.pid").unlink(missing_ok=True)

    # --- words

    def write_pid(self, name: str, pid: int) -> None:
        new = self.folder / f"{name}.pid.new"
        new.write_text(f"{pid}\n")
        new.rename(self.folder / f"{name}.pid")  # a reader never sees an empty file

    def say(self, text: str) -> None:
        self.print("", text.encode())

    def print(self, name: str, text: bytes) -> None:
        colour = self.children[name].service.colour if name else None
        # A terminal that was closed takes no more words; its SIGHUP, not a traceback, is what ends us.
        with suppress(OSError):
            self.printer.write(Message("line", text, datetime.now().astimezone(), name or "parley", colour))


def how_it_ended(status: int) -> str:
    return f"was killed ({signal.Signals(-status).name})" if status < 0 else f"ended with exit code {status}"


def kill_group(pid: int) -> None:
    with suppress(ProcessLookupError):
        os.killpg(pid, signal.SIGKILL)


def raise_file_limit() -> None:
    """A shell's usual 1024 open files are 500 sockets; the hard limit is there to be used."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
