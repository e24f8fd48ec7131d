"""What is counted is for who is on the machine."""

import pytest

from tests.acceptance.site import Site


@pytest.mark.parametrize("path", ["/metrics", "/metrics/", "/ws/metrics", "//metrics"])
async def test_nobody_outside_reads_the_counters(site: Site, path: str) -> None:
    answer = await site.get(path)
    assert "parley_" not in answer.text
    if path == "/metrics":
        assert answer.status_code == 404
