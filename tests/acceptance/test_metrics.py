"""Only clients on the machine can read the metrics."""

import pytest

from tests.acceptance.site import Site


@pytest.mark.parametrize("path", ["/metrics", "/metrics/", "/ws/metrics", "//metrics"])
async def test_visitors_cannot_read_the_metrics(site: Site, path: str) -> None:
    answer = await site.get(path)
    assert "channels_" not in answer.text
    if path == "/metrics":
        assert answer.status_code == 404
