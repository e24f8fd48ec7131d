"""`python -m loadtest`: see --help, and README.md in this folder."""

import signal
import sys
import time
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from loadtest.options import USER, address, parsed, plan_of, scenario_of
from loadtest.pinning import ALL, split
from loadtest.plan import BadPlan
from loadtest.slo import BadThreshold, thresholds
from loadtest.stored import BadResult

PASSED, FAILED, WRONG, VOID, INTERRUPTED = 0, 1, 2, 3, 130


def main(arguments: Sequence[str] | None = None) -> int:
    """Return the exit code."""
    options = parsed(arguments)
    try:
        if options.join:
            from loadtest import run  # noqa: PLC0415  # locust takes seconds to import; --help should not

            run.follow(*address(options.join), options.user)
            return PASSED
        return measure(options)
    except (BadPlan, BadThreshold, BadResult) as wrong:
        print(f"load: {wrong}", file=sys.stderr)
        return WRONG
    except KeyboardInterrupt:
        return INTERRUPTED


def measure(options: Any) -> int:
    wanted = thresholds(options.slo)
    listen = address(options.listen)
    from loadtest import closing, people, result, stored  # noqa: PLC0415

    before = stored.load(options.against) if options.against else None
    from loadtest import run  # noqa: PLC0415
    from loadtest.director import NotReady  # noqa: PLC0415
    from loadtest.progress import Progress  # noqa: PLC0415
    from loadtest.server import Server  # noqa: PLC0415

    progress = Progress()
    began = time.monotonic()
    with ExitStack() as stack:
        server, verify, url, made, cores = None, not options.insecure, options.url, None, ALL
        try:
            if not url:
                if options.user != USER:
                    raise BadPlan("Say where that server is: --url.")
                progress.say("starting a stack of its own")
                from loadtest.local_stack import LocalStack  # noqa: PLC0415  not where only load is made

                for_server, cores = split(options.processes)
                local = stack.enter_context(LocalStack(for_server))
                url, verify = local.url, False
                shape = plan_of(options, url, None, verify=False)
                progress.say(f"making {shape.sockets:,} people")
                made = local.people(shape.sockets, len(shape.rooms), shape.rooms_each)
                server = Server.of_ready_file(local.ready)
            elif options.people:
                made = people.load(options.people)
            if options.server_pids:
                server = Server.of(options.server_pids)
            plan = plan_of(options, url, made, verify=verify)
            scenario = scenario_of(options)(plan)
            scenario.budget_ms = options.budget_ms
            director = run.lead(
                plan,
                scenario,
                user=options.user,
                processes=options.processes,
                more_workers=options.expect_workers,
                listen=listen,
                server=server,
                progress=progress,
                most_lag_ms=options.most_lag_ms,
                cores=cores,
            )
        except NotReady as why:
            print(f"load: {why}", file=sys.stderr)
            return FAILED
    measured = result.of_run(director, wanted, time.monotonic() - began)
    json_file, html_file = closing.write(measured, options.out, before)
    print(closing.told(measured, before))
    print(f"{json_file}\n{html_file}")
    print(closing.line(measured))
    return {result.PASS: PASSED, result.FAIL: FAILED, result.VOID: VOID}[measured["verdict"]]


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # as Ctrl-C: what was started is stopped
    sys.path.insert(0, str(Path.cwd()))
    sys.exit(main())
