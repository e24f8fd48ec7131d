"""`python -m loadtest.bench.client`: reads commands, one JSON object a line, and answers each with one line.

The first is a plan; the others are methods of Room: {"do": "fixed", "rate": 15, "seconds": 6}.
"""

import gc
import json
import os
import resource
import sys

from loadtest.bench.client.room import COMMANDS, Plan, Room
from loadtest.bench.cores import CLIENT


def main() -> None:
    if CLIENT is not None:
        os.sched_setaffinity(0, {CLIENT})
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    gc.disable()  # a pause here would be taken for one of the server; nothing in the loop makes cycles
    room = Room(Plan.read(json.loads(sys.stdin.readline())))
    for line in sys.stdin:
        command = json.loads(line)
        answer = COMMANDS[command.pop("do")](room, **command)
        print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    main()
