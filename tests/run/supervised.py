"""A supervisor of three small processes: python -m tests.run.supervised FOLDER [NAME [ready]]

Each process writes its name to FOLDER/order when it is asked to stop. NAME ends at once, before the site is ready, or
after that with `ready`.
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
worker = os.fork()  # as gunicorn and nginx have workers
if worker == 0:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
os.write(1, b"up \\n")
while True:
    signal.pause()
"""


BROKEN = "import os; os.write(1, b'cannot import portal\\ngiving up\\n'); os._exit(3)"


class ReadyAtOnce:
    """An announcement that reports the site as ready at once, and writes `file`."""

    title = "Parley"

    def __init__(self, file: Path) -> None:
        self.file = file

    def await_ready(self, report: Callable[[Ready | NotReady], None]) -> None:
        report(Ready())

    def publish(self, pids: dict[str, int]) -> None:
        self.file.write_text(str(sorted(pids)))

    def withdraw(self) -> None: ...


class NeverReady(ReadyAtOnce):
    def await_ready(self, report: Callable[[Ready | NotReady], None]) -> None: ...


def service(folder: Path, name: str, stop_order: int, *, broken: bool) -> Service:
    command = [sys.executable, "-c", BROKEN if broken else PROGRAM, name, str(folder / "order")]
    return Service(name, command, dict(os.environ), Path.cwd(), stop_order, "32")


if __name__ == "__main__":
    folder, broken = Path(sys.argv[1]), sys.argv[2] if len(sys.argv) > 2 else ""
    services = [service(folder, name, order, broken=name == broken) for name, order in (("a", 2), ("b", 0), ("c", 1))]
    is_never_ready = broken and "ready" not in sys.argv[3:]
    announcement = (NeverReady if is_never_ready else ReadyAtOnce)(folder / "ready")
    sys.exit(Supervisor(services, folder, cast("Announcement", announcement)).run())
