"""Joins what the host and the operator's machine found, and draws it as text."""

import shutil
import textwrap
from collections.abc import Iterator
from dataclasses import dataclass

from deploy.preflight.finding import Finding

MAX_WIDTH, MIN_TEXT_WIDTH = 100, 40
STOP_MARK, NOTE_MARK = "✗", "·"


@dataclass(frozen=True)
class PreflightReport:
    """All findings about one host, the stops first."""

    host: str
    findings: tuple[Finding, ...]

    @property
    def stops(self) -> tuple[Finding, ...]:
        """The findings with which the deployment cannot work."""
        return tuple(finding for finding in self.findings if finding.severity == "stop")

    @property
    def notes(self) -> tuple[Finding, ...]:
        """The findings that an operator should know."""
        return tuple(finding for finding in self.findings if finding.severity == "note")


def join_findings(host: str, findings: list[Finding], accepted: tuple[str, ...]) -> PreflightReport:
    """Return the report: each finding once, and a stop that the operator accepts as a note."""
    kept = dict.fromkeys(findings)
    made = [
        Finding("note", finding.subject, f"Accepted: {finding.sentence}", finding.fix)
        if finding.severity == "stop" and finding.is_acceptable and finding.slug in accepted
        else finding
        for finding in kept
    ]
    return PreflightReport(host, tuple(sorted(made, key=lambda finding: finding.severity == "note")))


def draw_report(report: PreflightReport, width: int | None = None) -> str:
    """Return the report as text of at most `width` columns (default: the terminal's)."""
    columns = min(width or shutil.get_terminal_size((MAX_WIDTH, 24)).columns, MAX_WIDTH)
    return "\n".join(line.rstrip() for line in _draw(report, columns))


def _draw(report: PreflightReport, columns: int) -> Iterator[str]:
    stops, notes = len(report.stops), len(report.notes)
    if stops:
        yield f"{report.host} cannot become the site yet: {count(stops, 'reason')}. Nothing was changed."
    else:
        extra = f"; {count(notes, 'note')}" if notes else ""
        yield f"{report.host} has what the site needs{extra}."
    indent = max((len(finding.subject) for finding in report.findings), default=0) + 6
    for finding in report.findings:
        yield ""
        mark = STOP_MARK if finding.severity == "stop" else NOTE_MARK
        yield from _wrap(f"  {mark} {finding.subject}".ljust(indent), finding.sentence, columns)
        if finding.fix:
            yield from _wrap(" " * indent, f"→ {finding.fix}", columns)
    if names := ",".join(dict.fromkeys(finding.slug for finding in report.stops if finding.is_acceptable)):
        yield ""
        yield from _wrap(
            "", f"To deploy in spite of a reason that does not apply to you: -e site_accept={names}", columns
        )


def _wrap(start: str, text: str, columns: int) -> Iterator[str]:
    lines = textwrap.wrap(
        text, max(columns - len(start), MIN_TEXT_WIDTH), break_on_hyphens=False, break_long_words=False
    )
    for number, line in enumerate(lines):
        yield (start if number == 0 else " " * len(start)) + line


def count(number: int, word: str) -> str:
    """Return a number with its word: "1 reason", "2 reasons"."""
    return f"{number} {word}{'' if number == 1 else 's'}"
