"""A supervisor of three small processes with a watchdog: python -m tests.run.watched FOLDER

`fed` feeds the watchdog, `stubborn` does as well and ignores SIGABRT, `mute` never sends a message. Each of the first
two writes a line to FOLDER/NAME.feeds for each message.
"""

import os
import sys
from pathlib import Path
from typing import cast

from deploy.local.layout import REPO
from deploy.local.readiness import Announcement
from deploy.local.services import Service
from deploy.local.supervisor import Supervisor
from deploy.local.watchdog import WatchdogTimes
from tests.run.supervised import ReadyAtOnce

TIMES = WatchdogTimes(silence_seconds=1.5, abort_seconds=0.3)
FEED_INTERVAL_SECONDS = 0.1
FEEDER = f"""
import signal, sys, time
from channels_realtime.systemd import feed_watchdog, notify
if "stubborn" in sys.argv[1]:
    signal.signal(signal.SIGABRT, signal.SIG_IGN)
notify("READY=1")
with open(sys.argv[1], "a", buffering=1) as feeds:
    while True:
        feed_watchdog()
        print("fed", file=feeds)
        time.sleep({FEED_INTERVAL_SECONDS})
"""
MUTE = "import signal; signal.pause()"

if __name__ == "__main__":
    folder = Path(sys.argv[1])
    environment = {**os.environ, "PYTHONPATH": str(REPO / "app"), "WATCHDOG_PID": "1"}
    services = [
        Service(
            name,
            [sys.executable, "-c", code, str(folder / f"{name}.feeds")],
            environment,
            Path.cwd(),
            0,
            "32",
            watchdog=TIMES,
        )
        for name, code in (("fed", FEEDER), ("stubborn", FEEDER), ("mute", MUTE))
    ]
    sys.exit(Supervisor(services, folder, cast("Announcement", ReadyAtOnce(folder / "ready"))).run())
