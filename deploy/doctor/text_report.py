"""Draws the report as text: the hops one below the other, then each finding with its evidence and its fix."""

import os
import re
import shutil
import sys
import textwrap
from collections.abc import Iterator
from dataclasses import dataclass

from deploy.doctor.catalogue import Hop, HopState
from deploy.doctor.http_client import BY_APPLICATION
from deploy.doctor.report import HostReport, Report, ReportedFinding, ReportedHop

MAX_WIDTH = 80  # columns
MIN_TEXT_WIDTH = 24
PLACES = {
    "DNS": ("network", "network"),
    "TCP": ("network", "network"),
    "TLS": ("nginx", "front"),
    "redirect": ("nginx", "front"),
    "HTTP": ("gunicorn", "pages"),
    "426": ("daphne", "sockets"),
    "WebSocket": ("daphne", "sockets"),
    "Channels": ("application", "application"),
    "layer": ("Redis", "layer"),
    "chat": ("whole path", "whole path"),
    "hold": ("whole path", "whole path"),
    "close": ("whole path", "whole path"),
}
"""Title of a hop -> the program there where the stack serves the site, and a general word elsewhere."""

Mark = tuple[str, str]
"""A symbol and its colour: the parameters of an ANSI escape sequence (ECMA-48, SGR)."""

MARKS: dict[HopState, Mark] = {
    HopState.OK: ("●", "32"),
    HopState.BROKEN: ("✗", "1;31"),
    HopState.UNKNOWN: ("○", "33"),
    HopState.SKIPPED: ("·", "2"),
}
WARNING_MARK: Mark = ("▲", "33")
RED, YELLOW, GREEN, BOLD, DIM, CYAN = "1;31", "1;33", "1;32", "1", "2", "36"
COMMAND = re.compile(r"`[^`]+`")
UNCERTAIN_STATES = (HopState.UNKNOWN, HopState.SKIPPED)


@dataclass(frozen=True)
class TextStyle:
    """How text is laid out."""

    has_colour: bool
    width: int = MAX_WIDTH
    """Columns of the terminal."""

    def paint(self, text: str, colour: str) -> str:
        """Return the text in this colour, if colours are wanted."""
        return f"\033[{colour}m{text}\033[0m" if self.has_colour and text else text

    def paint_mark(self, mark: Mark) -> str:
        """Return the symbol in its colour."""
        return self.paint(*mark)

    def wrap(self, text: str, indent: int) -> list[str]:
        """Return at least one line that fits after so many columns. Paths and addresses are not cut."""
        width = max(MIN_TEXT_WIDTH, self.width - indent)
        return textwrap.wrap(text, width, break_on_hyphens=False, break_long_words=False) or [""]

    def highlight_commands(self, line: str) -> str:
        """Return the line with what can be typed in another colour."""
        return COMMAND.sub(lambda match: self.paint(match[0], CYAN), line)


def detect_style() -> TextStyle:
    """Return the style of standard output: colours on a terminal alone, and not where NO_COLOR is set."""
    wants_colour = not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"
    width = min(shutil.get_terminal_size().columns, MAX_WIDTH)
    return TextStyle(has_colour=sys.stdout.isatty() and wants_colour, width=width)


def draw_report(report: Report, style: TextStyle) -> str:
    """Return the whole report as text."""
    has_host_states = any(hop.host_state is not None for hop in report.hops)
    lines = ["", f"  {style.paint(report.url.replace('https:', 'wss:') + report.ws_path, BOLD)}", ""]
    if has_host_states:
        lines += [style.paint(f"{'':15}┌ from here", DIM), style.paint(f"{'':15}│ ┌ on the host", DIM)]
    previous_place = ""
    for hop in report.hops:
        place = PLACES[hop.hop][0 if report.may_be_stack_site else 1]
        lines += draw_hop(hop, "" if place == previous_place else place, has_host_states, style)
        previous_place = place
    lines.append("")
    findings = [finding for hop in report.hops for finding in hop.findings]
    for finding in sorted(findings, key=lambda finding: finding.warning):
        lines += draw_finding(finding, style)
    if report.machine:
        lines += draw_host(report.machine, style)
    if report.not_inspected:
        for reason in report.not_inspected:
            first, *rest = style.wrap(f"not inspected: {reason}", 4)
            lines += [style.paint(f"  {first}", DIM), *(style.paint(f"    {line}", DIM) for line in rest)]
        lines.append("")
    return "\n".join([*lines, *draw_verdict(report, style), ""])


def draw_hop(hop: ReportedHop, place: str, has_host_states: bool, style: TextStyle) -> Iterator[str]:
    """Yield the lines of a hop: the place, the marks, the title, the note or the cause."""
    has_warning = any(finding.warning for finding in hop.findings)
    mark = WARNING_MARK if has_warning and hop.state is HopState.OK else MARKS[hop.state]
    marks = style.paint_mark(mark)
    if has_host_states:
        marks += f" {style.paint_mark(MARKS[hop.host_state or HopState.SKIPPED])}"
    note, colour = hop.note, ""
    if hop.is_broken:  # the name of a cause reads as a sentence
        note = next(finding.cause for finding in hop.findings if not finding.warning).replace("-", " ")
        colour = RED
    elif hop.state in UNCERTAIN_STATES and hop.host_state is not HopState.OK:
        colour = DIM
    indent = 30 if has_host_states else 28
    first, *rest = style.wrap(note, indent)
    text = f"{hop.hop:<10} {first}".rstrip()
    yield f"  {style.paint(f'{place:<12}', DIM)} {marks} {style.paint(text, colour) if colour else text}"
    for line in rest:
        yield " " * indent + (style.paint(line, colour) if colour else line)


def draw_finding(finding: ReportedFinding, style: TextStyle) -> Iterator[str]:
    """Yield the lines of a finding: its sentence, the evidence, the place and the fix."""
    symbol, colour = (WARNING_MARK[0], YELLOW) if finding.warning else (MARKS[HopState.BROKEN][0], RED)
    first, *rest = style.wrap(finding.sentence, 4)
    yield f"  {style.paint(f'{symbol} {first}', colour)}"
    for line in rest:
        yield f"    {style.paint(line, colour)}"
    yield ""
    for title, text in (("seen", finding.seen), ("where", finding.where), ("fix", finding.fix)):
        if text:
            first, *rest = style.wrap(text, 11)
            yield f"    {style.paint(f'{title:<6}', DIM)} {style.highlight_commands(first)}"
            for line in rest:
                yield f"{'':11}{style.highlight_commands(line)}"
    yield ""


def draw_host(machine: HostReport, style: TextStyle) -> Iterator[str]:
    """Yield the lines about the host: the handshake at each place, and the facts."""
    yield f"  {style.paint('The same handshake, sent on the host', BOLD)}"
    place_width = max((len(place) for place in machine.handshakes), default=0)
    for place, answer in machine.handshakes.items():
        mark = MARKS[HopState.OK if answer.startswith("101") else HopState.BROKEN]
        mark = WARNING_MARK if answer.endswith(BY_APPLICATION) else mark
        yield f"    {style.paint_mark(mark)} {place:<{place_width}}  {answer}"
    yield ""
    if machine.facts:
        for line in style.wrap(", ".join(machine.facts), 4):
            yield style.paint(f"  {line}", DIM)
        yield ""


def draw_verdict(report: Report, style: TextStyle) -> list[str]:
    """Return the last lines: whether the WebSocket works, and which hop loses it if it does not."""
    if report.broken:
        broken = next(hop for hop in report.hops if hop.is_broken)
        verdict = f"The WebSocket is lost at {report.broken}"
        is_host_ok = broken.host_state is HopState.OK
        if is_host_ok and not any(hop.host_state is HopState.BROKEN for hop in report.hops):
            verdict += ", between here and the host; on the host itself it works"
        lines = style.wrap(f"{verdict}. Exit code {report.exit_code}, {report.seconds:.1f} s", 2)
        return [style.paint(f"  {line}", RED) for line in lines]
    unknown = [hop.hop for hop in report.hops if hop.state is HopState.UNKNOWN and hop.host_state is not HopState.OK]
    gaps = f"; not known: {', '.join(unknown)}" if unknown else ""
    verdict = "No hop is broken" if Hop.WEBSOCKET.title in unknown else "The WebSocket works"
    return [style.paint(f"  {line}", GREEN) for line in style.wrap(f"{verdict}{gaps}. {report.seconds:.1f} s", 2)]
