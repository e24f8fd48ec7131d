"""`make load` from the command line to the exit code. --help, and README.md in the folder above, explain it."""

import sys
import time
from argparse import Namespace
from collections.abc import Sequence
from contextlib import ExitStack

from loadtest.core.cpu_affinity import ALL_CORES, split_cores
from loadtest.core.result_file import BadResult
from loadtest.load.options import (
    DEFAULT_USER,
    build_plan,
    parse_address,
    parse_options,
    scenario_class,
)
from loadtest.load.plan import BadPlan
from loadtest.load.result import FAIL, PASS, VOID
from loadtest.load.slo import BadThreshold, parse_thresholds

PASSED, FAILED, WRONG_ARGUMENTS, IS_VOID, INTERRUPTED = 0, 1, 2, 3, 130
EXIT_CODES = {PASS: PASSED, FAIL: FAILED, VOID: IS_VOID}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run what the command line asks for; return the exit code."""
    options = parse_options(arguments)
    try:
        if options.join:
            from loadtest.load import run  # noqa: PLC0415  # locust takes seconds to import; --help should not

            run.run_worker(*parse_address(options.join), options.user)
            return PASSED
        return run_load_test(options)
    except (BadPlan, BadThreshold, BadResult) as error:
        print(f"load: {error}", file=sys.stderr)
        return WRONG_ARGUMENTS
    except KeyboardInterrupt:
        return INTERRUPTED


def run_load_test(options: Namespace) -> int:
    """Run a load test, write and print its result; return the exit code.

    Raises:
        BadPlan, BadThreshold, BadResult: the arguments are wrong.
    """
    thresholds = parse_thresholds(options.slo)
    listen = parse_address(options.listen)
    from loadtest.load import report_files, result, sessions  # noqa: PLC0415

    baseline = result.read_result(options.baseline) if options.baseline else None
    from loadtest.load import run  # noqa: PLC0415
    from loadtest.load.director import NotReady  # noqa: PLC0415
    from loadtest.load.progress import Progress  # noqa: PLC0415
    from loadtest.load.server_usage import ServerUsage  # noqa: PLC0415

    progress = Progress()
    started = time.monotonic()
    with ExitStack() as stack:
        server, verify, url, made, cores = None, not options.insecure, options.url, None, ALL_CORES
        try:
            if not url:
                if options.user != DEFAULT_USER:
                    raise BadPlan("Name the address of that user's server: --url.")
                progress.say("starting a site for this run")
                from loadtest.load.local_stack import LocalStack  # noqa: PLC0415  # needs deploy/, which containers lack

                split = split_cores(options.processes)
                cores = split.generators
                local = stack.enter_context(LocalStack(split.servers))
                url, verify = local.url, False
                shape = build_plan(options, url, None, verify=False)
                progress.say(f"making {shape.sockets:,} users")
                made = local.make_sessions(shape.sockets, len(shape.rooms), shape.rooms_each)
                server = ServerUsage.from_ready_file(local.ready)
            elif options.sessions:
                made = sessions.read_sessions(options.sessions)
            if options.server_pids:
                server = ServerUsage.from_path(options.server_pids)
            plan = build_plan(options, url, made, verify=verify)
            scenario = scenario_class(options)(plan)
            scenario.budget_ms = options.budget_ms
            director = run.run_master(
                plan,
                scenario,
                user=options.user,
                processes=options.processes,
                more_workers=options.expect_workers,
                listen=listen,
                server=server,
                progress=progress,
                max_lag_ms=options.max_lag_ms,
                cores=cores,
            )
        except NotReady as error:
            print(f"load: {error}", file=sys.stderr)
            return FAILED
    measured = result.build_result(director, thresholds, time.monotonic() - started)
    json_file, html_file = report_files.write_files(measured, options.out, baseline)
    print(report_files.format_summary(measured, baseline))
    print(f"{json_file}\n{html_file}")
    print(report_files.format_last_line(measured))
    return EXIT_CODES[measured["verdict"]]
