"""A request for a host that is not ours is refused, and costs the log one line."""

import pytest
from django.test import Client


def test_one_line_and_no_traceback(client: Client, caplog: pytest.LogCaptureFixture):
    answer = client.get("/", headers={"Host": "not/a/name"})
    assert answer.status_code == 400
    (said,) = [record for record in caplog.records if record.name == "django.security.DisallowedHost"]
    assert "'not/a/name'" in said.getMessage()
    assert said.exc_info is None
