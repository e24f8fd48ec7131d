"""The commands of ansible/preflight.yml, which runs them on the operator's machine.

Both read JSON from stdin and print JSON.

    python -m deploy.preflight pack    reads the variables; prints the findings about them, the plan, and the path of
                                       the archive that runs on the host
    python -m deploy.preflight report  reads all results; prints the report
"""

import json
import sys

from deploy.preflight.joining import join


def main(arguments: list[str]) -> int:
    """Run one command. Returns the exit code."""
    given = json.load(sys.stdin)
    if arguments == ["pack"]:
        from deploy.preflight.packing import pack  # noqa: PLC0415  # half a second, which the report need not take

        print(json.dumps(pack(given)))
    else:
        print(json.dumps(join(given)))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
