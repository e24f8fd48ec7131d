"""Filters that say in a sentence why a command of a playbook failed."""

import sys
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent.parent))

from deploy.certificate_failure import AskingHost, explain_failure
from deploy.failure_cause import describe_result


def explain_certificate(result: dict[str, Any], host: dict[str, Any]) -> dict[str, str]:
    """Return why the host got no certificate.

    Args:
        result: what Ansible registers of the command that asked for it.
        host: the fields of AskingHost.

    Returns:
        `sentence` and `fix`.
    """
    printed = [str(result.get(key) or "") for key in ("stdout", "stderr", "msg")]
    return asdict(explain_failure("\n".join(printed), AskingHost(**host)))


class FilterModule:
    """What Ansible finds in this file."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """Return the filters by their names."""
        return {"failure_message": describe_result, "certificate_failure": explain_certificate}
