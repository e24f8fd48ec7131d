"""A supervisor over three small processes, to be killed and watched: python -m tests.run.supervised FOLDER [NAME]

Each process writes its name to FOLDER/order when it is told to stop. NAME ends at once, before anything is ready.
"""

import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import cast

from deploy.local.readiness import Announcement, NotReady, Ready
from deploy.local.services import Service
from deploy.local.supervisor import Supervisor

PROGRAM = """
import os, signal, sys, time
name, order = sys.argv[1:]
def stop(*_):
    with open(order, "a") as file:
        file.write(name + "\\n")
    sys.exit(0)
signal.signal(signal.SIGTERM, stop)
worker = os.fork()  # as gunicorn's and nginx's masters have
if worker == 0:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
os.write(1, b"up \\n")
while True:
    signal.pause()
"""


class Told:
    """Says that it is ready at once, and where to see it."""

    def __init__(self, file: Path) -> None:
        self.file = file

    def await_ready(self, tell: Callable[[Ready | NotReady], None]) -> None:
        tell(Ready())

    def publish(self, pids: dict[str, int]) -> None:
        self.file.write_text(str(sorted(pids)))

    def withdraw(self) -> None: ...


class NeverReady(Told):
    def await_ready(self, tell: Callable[[Ready | NotReady], None]) -> None: ...


def service(folder: Path, name: str, leaves: int, *, broken: bool) -> Service:
    command = [sys.executable, "-c", "raise SystemExit(3)" if broken else PROGRAM, name, str(folder / "order")]
    return Service(name, command, dict(os.environ), leaves, "32")


if __name__ == "__main__":
    folder, broken = Path(sys.argv[1]), sys.argv[2] if len(sys.argv) > 2 else ""
    services = [service(folder, name, leaves, broken=name == broken) for name, leaves in (("a", 2), ("b", 0), ("c", 1))]
    told = (NeverReady if broken else Told)(folder / "ready")
    sys.exit(Supervisor(services, folder, cast("Announcement", told)).run())
