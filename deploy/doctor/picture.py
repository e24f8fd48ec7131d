"""What the operator reads: the hops one below the other, then what is broken, why we say so, and the cure."""

import re
import textwrap
from dataclasses import dataclass

from deploy.doctor.report import Found, Machine, Passed, Report

WIDTH = 80
# Who is at each hop of ours, and at that of somebody else, where we cannot know.
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
    "chat": ("whole way", "whole way"),
    "hold": ("whole way", "whole way"),
    "close": ("whole way", "whole way"),
}
MARKS = {"well": ("●", "32"), "broken": ("✗", "1;31"), "unknown": ("○", "33"), "unreached": ("·", "2")}
WARNING = ("▲", "33")
RED, YELLOW, GREEN, BOLD, DIM, CYAN = "1;31", "1;33", "1;32", "1", "2", "36"
COMMAND = re.compile(r"`[^`]+`")


@dataclass(frozen=True)
class Pen:
    """Writes into a terminal of this width, with colours or without."""

    colour: bool
    width: int = WIDTH

    def paint(self, text: str, code: str) -> str:
        return f"\033[{code}m{text}\033[0m" if self.colour and text else text

    def mark(self, mark: tuple[str, str]) -> str:
        return self.paint(*mark)

    def wrap(self, text: str, indent: int) -> list[str]:
        """At least one line; long words, which are paths and addresses, are not cut."""
        return textwrap.wrap(text, max(24, self.width - indent), break_on_hyphens=False, break_long_words=False) or [""]


def draw(report: Report, pen: Pen) -> str:
    joined = any(one.there is not None for one in report.hops)
    lines = ["", f"  {pen.paint(report.url.replace('https:', 'wss:') + report.ws_path, BOLD)}", ""]
    if joined:
        lines += [pen.paint(f"{'':15}┌ from here", DIM), pen.paint(f"{'':15}│ ┌ on the machine", DIM)]
    place = ""
    for one in report.hops:
        name = PLACES[one.hop][0 if report.ours else 1]
        lines += line_of(one, "" if name == place else name, joined, pen)
        place = name
    lines.append("")
    findings = [found for one in report.hops for found in one.findings]
    for found in sorted(findings, key=lambda found: found.warning):
        lines += explained(found, pen)
    if report.machine:
        lines += compared(report.machine, pen)
    if report.not_seen:
        lines += [pen.paint(line, DIM) for note in report.not_seen for line in listed(f"not seen: {note}", pen)]
        lines.append("")
    return "\n".join([*lines, *verdict(report, pen), ""])


def line_of(one: Passed, place: str, joined: bool, pen: Pen) -> list[str]:
    warned = any(found.warning for found in one.findings)
    mark = WARNING if warned and one.state == "well" else MARKS[one.state]
    marks = pen.mark(mark) + (f" {pen.mark(MARKS[one.there or 'unreached'])}" if joined else "")
    note = one.note
    if one.broken:  # the name of a cause is a sentence
        note = next(found.cause for found in one.findings if not found.warning).replace("-", " ")
    colour = RED if one.broken else DIM if one.state in ("unknown", "unreached") and one.there != "well" else ""
    indent = 30 if joined else 28
    first, *more = pen.wrap(note, indent)
    words = f"{one.hop:<10} {first}".rstrip()
    head = f"  {pen.paint(f'{place:<12}', DIM)} {marks} {pen.paint(words, colour) if colour else words}"
    return [head, *(" " * indent + (pen.paint(line, colour) if colour else line) for line in more)]


def explained(found: Found, pen: Pen) -> list[str]:
    mark, colour = (WARNING[0], YELLOW) if found.warning else (MARKS["broken"][0], RED)
    first, *more = pen.wrap(found.sentence, 4)
    lines = [f"  {pen.paint(f'{mark} {first}', colour)}", *(f"    {pen.paint(line, colour)}" for line in more), ""]
    for title, text in (("seen", found.seen), ("where", found.where), ("fix", found.fix)):
        if text:
            first, *more = pen.wrap(text, 11)
            lines += [f"    {pen.paint(f'{title:<6}', DIM)} {command(first, pen)}"]
            lines += [f"{'':11}{command(line, pen)}" for line in more]
    return [*lines, ""]


def command(line: str, pen: Pen) -> str:
    """What can be typed stands out."""
    return COMMAND.sub(lambda match: pen.paint(match[0], CYAN), line)


def listed(text: str, pen: Pen) -> list[str]:
    first, *more = pen.wrap(text, 4)
    return [f"  {first}", *(f"    {line}" for line in more)]


def compared(machine: Machine, pen: Pen) -> list[str]:
    lines = [f"  {pen.paint('The same handshake, on the machine', BOLD)}"]
    room = max((len(where) for where in machine.handshakes), default=0)
    for where, reply in machine.handshakes.items():
        mark = MARKS["well" if reply.startswith("101") else "broken"]
        lines.append(f"    {pen.mark(mark)} {where:<{room}}  {reply}")
    facts = pen.wrap(", ".join(machine.facts), 4) if machine.facts else []
    return [*lines, "", *(pen.paint(f"  {line}", DIM) for line in facts), *([""] if facts else [])]


def verdict(report: Report, pen: Pen) -> list[str]:
    took = f"{report.seconds:.1f} s"
    if report.broken:
        lost = next(one for one in report.hops if one.broken)
        where = f"The WebSocket is lost at {report.broken}"
        if lost.there == "well" and not any(one.there == "broken" for one in report.hops):
            where += ", on the way to the machine, which is well itself"
        return [pen.paint(f"  {line}", RED) for line in pen.wrap(f"{where}. Exit code {report.exit_code}, {took}", 2)]
    gaps = [one.hop for one in report.hops if one.state == "unknown" and one.there != "well"]
    asked = f"; not known: {', '.join(gaps)}" if gaps else ""
    return [pen.paint(f"  The WebSocket arrives{asked}. {took}", GREEN)]
