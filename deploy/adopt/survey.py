"""What the checks share: the project, its manifest, and how a finding is made."""

import re
from dataclasses import dataclass, field
from pathlib import Path

from deploy.adopt.causes import CAUSES
from deploy.adopt.report import Finding
from deploy.discovery import Discovery
from deploy.manifest import Manifest
from deploy.project.python import Module, read_text

MAX_SOURCE_LENGTH = 160  # characters of a line that a report shows

SECRET_CAUSES = frozenset({"secret-key-in-tree", "secret-in-tree"})
PASSWORD = re.compile(r"(://[^:@/\s'\"]*:)[^@\s'\"]+@")
LITERAL = re.compile(r"""(['"])(?:\\.|(?!\1).){4,}\1?""")


def hide_secrets(line: str, *, is_secret: bool) -> str:
    """Return a line without the passwords in addresses, and without any literal if it is about a secret."""
    line = PASSWORD.sub(r"\1…@", line)
    return LITERAL.sub('"…"', line) if is_secret else line


@dataclass
class Survey:
    """One project under examination."""

    project: Discovery
    manifest: Manifest
    """Completed with what was discovered, where that was possible."""
    _texts: dict[Path, str] = field(default_factory=dict)

    def text(self, path: Path) -> str:
        """Return the text of a file."""
        if path not in self._texts:
            self._texts[path] = read_text(path)
        return self._texts[path]

    def find(self, cause: str, place: Module | Path, line: int, *, field: str = "", **values: object) -> Finding:
        """Return a finding at a line, counted from 1; 0 is the whole file."""
        path = place.path if isinstance(place, Module) else place
        known = CAUSES[cause]
        words = {name: str(value) for name, value in values.items()}
        source = ""
        if line:
            lines = self.text(path).splitlines()
            source = lines[line - 1].strip() if line <= len(lines) else ""
        relative = self.project.relative(path) if path.is_relative_to(self.project.source) else path.name
        return Finding(
            cause=cause,
            detail=known.detail.format(**words),
            severity=known.severity,
            file=relative,
            line=line,
            source=hide_secrets(source, is_secret=cause in SECRET_CAUSES)[:MAX_SOURCE_LENGTH],
            meaning=known.meaning.format(**words),
            fix=known.fix.format(**words),
            field=field,
        )
