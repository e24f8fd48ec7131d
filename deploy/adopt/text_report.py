"""Draws the report of `adopt` as text: what asks something of the owner first, what the stack does by itself last."""

import textwrap
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import groupby

from deploy.adopt.manifest_text import field_lines, merge_fields
from deploy.adopt.report import Finding, Report, Severity
from deploy.program import PROGRAM

MIN_WIDTH, MAX_WIDTH = 60, 100  # columns
INDENT = 4
MAX_PLACE_WIDTH = 44
MAX_PLACES = 8  # of one cause; --all shows the rest
RED, YELLOW, GREEN, BLUE, BOLD, DIM = "1;31", "1;33", "1;32", "34", "1", "2"
# Severity -> symbol, colour, title.
MARKS: dict[Severity, tuple[str, str]] = {
    Severity.OWNER: ("✗", RED),
    Severity.FIELD: ("▲", YELLOW),
    Severity.MENDED: ("●", GREEN),
    Severity.SET: ("·", DIM),
    Severity.INFORMATION: ("○", BLUE),
}


@dataclass(frozen=True)
class TextStyle:
    """How text is laid out."""

    has_colour: bool
    width: int = 88
    """Columns of the terminal."""
    shows_all: bool = False

    def paint(self, text: str, colour: str) -> str:
        """Return the text in this colour, if colours are wanted."""
        return f"\033[{colour}m{text}\033[0m" if self.has_colour and text else text

    def wrap(self, text: str, indent: int) -> list[str]:
        """Return the lines of a text, indented. Paths and addresses are not cut."""
        width = max(MIN_WIDTH, min(self.width, MAX_WIDTH)) - indent
        lines = textwrap.wrap(text, width, break_on_hyphens=False, break_long_words=False)
        return [" " * indent + line for line in lines]

    def cut(self, text: str, indent: int) -> str:
        """Return a line of source that fits after so many columns."""
        width = max(20, max(MIN_WIDTH, min(self.width, MAX_WIDTH)) - indent)
        return text if len(text) <= width else f"{text[: width - 1]}…"


def draw_report(report: Report, style: TextStyle) -> str:
    """Return the whole report as text."""
    lines = ["", *draw_facts(report, style), ""]
    owner = [finding for finding in report.obstacles if finding.severity is Severity.OWNER]
    field = [finding for finding in report.obstacles if finding.severity is Severity.FIELD]
    settled = [finding for finding in report.findings if finding.severity is Severity.FIELD and finding.is_settled]
    settled_title = (
        "Said in stack.toml: look over these lines" if report.manifest_state != "present" else "Said in stack.toml"
    )
    sections = (
        ("Needs a change of yours", owner),
        ("Needs a field in stack.toml", field),
        (settled_title, settled),
        ("Mended by the stack", _of(report, Severity.MENDED)),
        ("Worth knowing", _of(report, Severity.INFORMATION)),
    )
    for title, findings in sections:
        if findings:
            lines += draw_section(title, findings, style)
    lines += draw_settings(_of(report, Severity.SET), style)
    if report.notes:
        lines += [style.paint("  Decided", BOLD), *(line for note in report.notes for line in style.wrap(note, INDENT))]
        lines.append("")
    if report.manifest_state != "present":
        title = report.manifest_path if report.manifest_state == "written" else "stack.toml (not written)"
        lines += [style.paint(f"  {title}", BOLD), *(f"    {line}" for line in report.manifest.splitlines()), ""]
    return "\n".join([*lines, *draw_verdict(report, style), ""])


def _of(report: Report, severity: Severity) -> list[Finding]:
    return [finding for finding in report.findings if finding.severity is severity]


def draw_facts(report: Report, style: TextStyle) -> Iterator[str]:
    """Yield what was discovered."""
    yield f"  {style.paint(report.facts['name'], BOLD)}  {style.paint(report.project, DIM)}"
    names = [name for name in report.facts if name != "name" and report.facts[name] not in {"", "."}]
    width = max((len(name) for name in names), default=0)
    for name in names:
        yield f"    {style.paint(f'{name:<{width}}', DIM)}  {style.cut(report.facts[name], width + 6)}"


def draw_section(title: str, findings: list[Finding], style: TextStyle) -> Iterator[str]:
    """Yield a section: the findings of one cause and one remedy together, with all their places."""
    yield f"  {style.paint(f'{title} ({len(findings)})', BOLD)}"
    yield ""
    for _, group in groupby(findings, key=lambda finding: (finding.cause, finding.meaning, finding.fix)):
        yield from draw_cause(list(group), style)
        yield ""


def draw_cause(findings: list[Finding], style: TextStyle) -> Iterator[str]:
    """Yield the lines of one cause."""
    first = findings[0]
    symbol, colour = MARKS[first.severity]
    head, *rest = style.wrap(first.meaning, INDENT)
    yield f"  {style.paint(symbol, colour)} {head.lstrip()}"
    yield from rest
    shown = findings if style.shows_all else findings[:MAX_PLACES]
    width = min(MAX_PLACE_WIDTH, max(len(finding.place) for finding in shown))
    for finding in shown:
        indent = max(width, len(finding.place)) + INDENT + 3
        text = finding.detail or style.paint(style.cut(finding.source, indent), DIM)
        yield f"    {style.paint(f'{finding.place:<{width}}', BOLD)}   {text}".rstrip()
    if len(shown) < len(findings):
        yield style.paint(f"    and {len(findings) - len(shown)} more: --all shows them", DIM)
    for number, line in enumerate(style.wrap(first.fix, INDENT + 2)):
        yield line if number else f"    {style.paint('→', colour)} {line.lstrip()}"
    for line in _propose(findings):
        yield f"      {style.paint(style.cut(line, INDENT + 2), GREEN)}"


def _propose(findings: Iterable[Finding]) -> list[str]:
    """Return the lines of stack.toml that settle all of the findings."""
    fields, _ = merge_fields(replace(finding, is_settled=False) for finding in findings)
    return field_lines(fields)


def draw_settings(findings: list[Finding], style: TextStyle) -> Iterator[str]:
    """Yield what every project gets from the stack, one line each."""
    if not findings:
        return
    yield f"  {style.paint(f'Set by the stack ({len(findings)}); no obstacle', DIM)}"
    width = min(36, max(len(finding.place) for finding in findings))
    for finding in sorted(findings, key=lambda finding: (finding.file, finding.line)):
        head, *rest = style.wrap(finding.meaning, width + 7)
        yield style.paint(f"  · {finding.place:<{width}}   {head.strip()}", DIM)
        yield from (style.paint(line, DIM) for line in rest)
    yield ""


def draw_verdict(report: Report, style: TextStyle) -> Iterator[str]:
    """Yield the last lines: how many obstacles there are, and what comes next."""
    count = len(report.obstacles)
    mended = len(_of(report, Severity.MENDED))
    by_stack = f"; {mended} mended by the stack" if mended else ""
    if report.packages == "not checked":
        by_stack += "; packages not resolved"
    if not count:
        yield f"  {style.paint('●', GREEN)} {style.paint('0 obstacles', BOLD)}{by_stack}."
        yield style.paint(f"    Next: {PROGRAM} run {report.project}", DIM)
        return
    word = "obstacle" if count == 1 else "obstacles"
    yield f"  {style.paint('✗', RED)} {style.paint(f'{count} {word}', BOLD)} for you to settle{by_stack}."
