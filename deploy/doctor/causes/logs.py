"""What the servers themselves have said lately. It explains a hop that is broken, and never breaks one that is well."""

import re

from deploy.doctor.catalogue import Evidence
from deploy.doctor.inside.logs import follow
from deploy.doctor.seen import Seen


def logged(seen: Seen, pattern: str, *, earlier: bool = False) -> Evidence | None:
    """The newest line that matches since we began to ask; `earlier`: else of before, for what died before we came."""
    if seen.inside is None:
        return None
    follow(seen.inside)
    logs = [*seen.inside.logs.items(), *(seen.inside.earlier.items() if earlier else ())]
    for name, lines in logs:
        for number in range(len(lines) - 1, -1, -1):
            if re.search(pattern, lines[number]):
                return Evidence(lines[number].strip()[:300], name)
    return None
