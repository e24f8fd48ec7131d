"""`python -m loadtest.bench.client`: reads commands, one JSON object a line, and answers each with one line.

The first line is a ClientPlan; each other one names a command of `room.COMMANDS` and has its arguments:
{"do": "fixed_rate", "rate": 15, "seconds": 6}.
"""

import gc
import json
import os
import sys

from loadtest.bench.client.room import COMMANDS, ClientPlan, Room
from loadtest.core.cpu_affinity import split_cores
from loadtest.core.host import raise_file_limit


def main() -> None:
    """Run until standard input ends."""
    os.sched_setaffinity(0, split_cores().generators)
    raise_file_limit()
    gc.disable()  # a pause of this process would look like one of the server; nothing in the loop makes cycles
    room = Room(ClientPlan.from_json(json.loads(sys.stdin.readline())))
    for line in sys.stdin:
        arguments = json.loads(line)
        answer = COMMANDS[arguments.pop("do")](room, **arguments)
        print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    main()
