"""What Python runs first on the host. An interpreter that is too old for the other modules can read this one."""

import json
import sys
import time


def main(plan):  # type: ignore[no-untyped-def]  # Python 3.5 has to read this file
    """Print the report of the host as JSON, in ASCII: a HostReport.

    Args:
        plan: the plan as JSON.
    """
    oldest = tuple(json.loads(plan)["python"])
    if sys.version_info >= oldest:
        from deploy.preflight.host.inspection import inspect_host  # noqa: PLC0415  # an old Python cannot read it
        from deploy.preflight.plan import Plan  # noqa: PLC0415

        report = inspect_host(Plan.from_json(plan))
    else:
        found = {
            "severity": "stop",
            "subject": "python",
            "sentence": "Python {}.{} of this host is too old; the site needs {}.{} or newer.".format(
                *(sys.version_info[:2] + oldest)
            ),
            "fix": "Use Debian 12, Debian 13 or Ubuntu 24.04, or let python3 be their own /usr/bin/python3.",
        }
        report = {"facts": {"time": time.time(), "addresses": [], "ipv6": True, "firewall": ""}, "findings": [found]}
    print(json.dumps(report))
    return 0
