"""The filter `failure_message` for the tasks that change a release or test nginx."""

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent.parent))

from deploy.failure_cause import describe_result


class FilterModule:
    """What Ansible finds in this file."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """Return the filters by their names."""
        return {"failure_message": describe_result}
