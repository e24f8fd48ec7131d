"""What the servers themselves have said lately. It explains a hop that is broken, and never breaks one that is well."""

import re

from deploy.doctor.catalogue import Evidence
from deploy.doctor.seen import Seen


def logged(seen: Seen, pattern: str) -> Evidence | None:
    """The newest line in any log that matches."""
    for name, lines in (seen.inside.logs if seen.inside else {}).items():
        for number in range(len(lines) - 1, -1, -1):
            if re.search(pattern, lines[number]):
                return Evidence(lines[number].strip()[:200], name)
    return None
