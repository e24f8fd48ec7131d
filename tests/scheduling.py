"""How pytest-xdist shares the tests among its processes: by module, and the tests of tests/guests by guest.

A guest is a site that takes seconds to start, so all of its tests run in one process, one after the other.
"""

import re

import pytest
from xdist.remote import Producer
from xdist.scheduler import LoadScopeScheduling

TEST_OF_A_GUEST = re.compile(r"tests/guests/.*\[(\w+)")


class GuestScheduling(LoadScopeScheduling):
    """The scheduling of `--dist loadscope`, in which a guest is a scope."""

    def _split_scope(self, nodeid: str) -> str:
        found = TEST_OF_A_GUEST.match(nodeid)
        return f"guest {found.group(1)}" if found else super()._split_scope(nodeid)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> LoadScopeScheduling | None:
    """Return the scheduling of a test run that is shared by module."""
    return GuestScheduling(config, log) if config.getvalue("dist") == "loadscope" else None
