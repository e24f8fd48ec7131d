"""A request for another host is refused, and the log gets one line."""

import pytest
from django.test import Client


def test_a_wrong_host_is_logged_in_one_line_without_a_traceback(client: Client, caplog: pytest.LogCaptureFixture):
    answer = client.get("/", headers={"Host": "not/a/name"})
    assert answer.status_code == 400
    (record,) = [one for one in caplog.records if one.name == "django.security.DisallowedHost"]
    assert "'not/a/name'" in record.getMessage()
    assert record.exc_info is None
