"""The doctor's command: `python -m deploy.doctor --help`."""

import argparse
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

from deploy.doctor.catalogue import Hop
from deploy.doctor.causes import CAUSES
from deploy.doctor.host import inspection
from deploy.doctor.merge import merge_reports
from deploy.doctor.network_probes import make_tls_context
from deploy.doctor.observations import Observations, Options
from deploy.doctor.options import (
    Parser,
    format_handshake,
    make_host_arguments,
    make_parser,
    parse_arguments,
    read_options,
)
from deploy.doctor.remote import HostNotReached, run_over_ssh
from deploy.doctor.report import Report, make_report
from deploy.doctor.runner import diagnose
from deploy.doctor.text_report import detect_style, draw_report

CLEAR_LINE = "\r\033[2K"


def main(command_line: list[str] | None = None) -> int:
    """Run the doctor.

    Args:
        command_line: the arguments; those of this process by default.

    Returns:
        The exit code: 0 when the WebSocket works, else that of the broken hop (`catalogue.Hop`).
    """
    parser = make_parser()
    return run(parser, parse_arguments(parser, command_line))


def run(parser: Parser, arguments: argparse.Namespace) -> int:
    """Run the doctor with the arguments that `parser` has parsed. Return the exit code."""
    if arguments.catalogue:
        print_catalogue()
        return 0
    options = read_options(parser, arguments)
    is_terminal = sys.stdout.isatty()
    report = examine(arguments, options, shows_progress=is_terminal and not arguments.json)
    if arguments.json:
        print(report.to_json())
    else:
        print(draw_report(report, detect_style()))
    return report.exit_code


def print_catalogue() -> None:
    """Print all causes in the order of the hops, one a line."""
    for hop in Hop:
        for cause in (cause for cause in CAUSES if cause.hop is hop):
            kind = " (warning)" if cause.is_warning else ""
            print(f"{hop.exit_code}  {hop.title:<10} {cause.name}{kind}: {cause.sentence}")


def examine(arguments: argparse.Namespace, options: Options, *, shows_progress: bool) -> Report:
    """Return the report from here, merged with the host's report where the operator wants that."""
    if arguments.host_report:
        try:
            text = sys.stdin.read() if arguments.host_report == "-" else Path(arguments.host_report).read_text()
            host_report = Report.from_json(text)
        except (OSError, ValueError) as error:
            sys.exit(f"doctor: --host-report {arguments.host_report}: {error}")
        return merge_reports(examine_from_here(arguments, options, shows_progress=shows_progress), host_report)
    if not arguments.ssh:
        return examine_from_here(arguments, options, shows_progress=shows_progress)
    secret = format_handshake(cookie=arguments.cookie)
    with ThreadPoolExecutor(1) as pool:
        pending = pool.submit(run_over_ssh, arguments.ssh, make_host_arguments(arguments), secret)
        report = examine_from_here(arguments, options, shows_progress=shows_progress)
        try:
            return merge_reports(report, pending.result())
        except HostNotReached as error:
            return replace(report, not_inspected=(*report.not_inspected, str(error)))


def examine_from_here(arguments: argparse.Namespace, options: Options, *, shows_progress: bool) -> Report:
    """Return the report of this machine; with --host it includes what only the site's host shows."""

    def print_progress(hop: Hop) -> None:
        if shows_progress:
            print(f"{CLEAR_LINE}  {hop.title} …", end="", flush=True)

    observations = Observations(options, make_tls_context(options))
    if arguments.host:
        observations.host = inspection.inspect_host(
            observations,
            nginx_command=arguments.nginx,
            log_files=arguments.log,
            redis_url=arguments.redis,
            postgres=arguments.postgres,
        )
        inspection.probe_upstreams(observations, observations.host)
    diagnosis = diagnose(observations, print_progress)
    if shows_progress:
        print(CLEAR_LINE, end="")
    return make_report(diagnosis)


if __name__ == "__main__":
    sys.exit(main())
