"""What `adopt` finds in a project. `Report.to_json` has the shape of report.schema.json."""

import json
from dataclasses import asdict, dataclass
from enum import StrEnum

SCHEMA = "adopt/1"


class Severity(StrEnum):
    """What a finding asks of the owner."""

    SET = "set"
    """Nothing: every project gets this setting from the stack."""
    MENDED = "mended"
    """Nothing: the stack works around it."""
    FIELD = "field"
    """A field in stack.toml."""
    OWNER = "owner"
    """A change in the project."""
    INFORMATION = "information"
    """Nothing, but it is worth knowing."""


@dataclass(frozen=True)
class Finding:
    """One thing at one place of the project."""

    cause: str
    severity: Severity
    file: str
    """Relative to the project's folder."""
    line: int
    """Counted from 1; 0 where it concerns the whole file."""
    source: str
    """The line itself, without indentation."""
    detail: str
    """What differs from other places of this cause, or ""."""
    meaning: str
    fix: str
    """What to do, or what the stack does."""
    field: str = ""
    """The line of stack.toml that settles it, or ""."""
    is_settled: bool = False
    """Whether stack.toml has such a field."""

    @property
    def is_obstacle(self) -> bool:
        """Whether the owner has something to say or to do."""
        return self.severity is Severity.OWNER or (self.severity is Severity.FIELD and not self.is_settled)

    @property
    def place(self) -> str:
        """FILE:LINE."""
        return f"{self.file}:{self.line}" if self.line else self.file


@dataclass(frozen=True)
class Report:
    """The whole result."""

    project: str
    """The folder or the address."""
    facts: dict[str, str]
    """What was discovered, as fields of the manifest: name, root, settings, asgi, wsgi, requirements, probe, home."""
    notes: tuple[str, ...]
    findings: tuple[Finding, ...]
    manifest: str
    """The text of stack.toml."""
    manifest_path: str
    manifest_state: str
    """"written", "present" (it was there before) or "proposed" (nothing was written)."""
    packages: str
    """"resolved", "not resolved" or "not checked"."""

    @property
    def obstacles(self) -> list[Finding]:
        """The findings that ask something of the owner."""
        return [finding for finding in self.findings if finding.is_obstacle]

    @property
    def exit_code(self) -> int:
        """0 when nothing stands in the way, 1 when the owner has something to say or to do."""
        return 1 if self.obstacles else 0

    def to_json(self) -> str:
        """Return the report as JSON."""
        document = {
            "schema": SCHEMA,
            "project": self.project,
            "facts": self.facts,
            "notes": list(self.notes),
            "findings": [{**asdict(finding), "is_obstacle": finding.is_obstacle} for finding in self.findings],
            "manifest": {"path": self.manifest_path, "state": self.manifest_state, "text": self.manifest},
            "packages": self.packages,
            "obstacles": len(self.obstacles),
            "exit_code": self.exit_code,
        }
        return json.dumps(document, indent=2, ensure_ascii=False)
