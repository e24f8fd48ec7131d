"""The first page of the administration shows the state of the site."""

import json
import os
import re
import time

import pytest
from django.test import Client
from django.utils import translation

from accounts.models import User
from channels_realtime.heartbeat import STALE_AFTER_SECONDS, Report, Servers
from channels_stack import certificate
from deploy.doctor.causes import network
from ops import status
from tests.running import Stack

STAFF = """
from accounts.models import User
User.objects.filter(username="ann").update(is_staff=True, is_superuser=True)
"""


def shown(page: str) -> dict[str, tuple[bool, str]]:
    """Part: is it well, and what it says."""
    found = re.findall(r'class="(success|error)"><strong>([\w ]+)</strong>: (.*?)</(?:span|li)>', page)
    return {part: (well == "success", text) for well, part, text in found}


async def test_a_live_site_shows_all_its_parts(stack: Stack):
    (cookie,) = stack.people("ann")
    stack.run_python(STAFF)
    async with await stack.connect(cookie, through="ws1"), stack.browser(cookie) as browser:
        page = shown((await browser.get("/admin/")).text)
    assert set(page) == {"Release", "Database", "Redis", "WebSockets", "Disk", "Certificate"}
    assert page["Release"][1] == stack.run_python("from django.conf import settings; print(settings.RELEASE)").strip()
    assert page["Database"][0]
    assert re.fullmatch(r"answers in [\d.]+ ms", page["Redis"][1])
    assert re.match(r"\d+ on \d servers?", page["WebSockets"][1])


@pytest.fixture
def front(alice: User, client: Client):
    User.objects.filter(pk=alice.pk).update(is_staff=True, is_superuser=True)
    client.force_login(alice)
    return lambda: shown(client.get("/admin/").content.decode())


def test_it_is_in_the_administrators_language(front, client: Client):
    client.cookies["django_language"] = "pt-br"
    with translation.override("en"):  # and back: a request leaves its language to the thread
        found = front()
    assert set(found) == {"Versão", "Banco de dados", "Redis", "Disco", "Certificado"}


def test_only_administrators_see_it(client: Client, alice: User):
    client.force_login(alice)
    assert shown(client.get("/admin/", follow=True).content.decode()) == {}


def test_a_redis_that_is_away_is_shown(front, settings):
    settings.CHANNELS_REALTIME = {"REDIS_URL": "unix:///nowhere/redis.sock"}
    assert not front()["Redis"][0]
    assert front()["WebSockets"] == (False, "unknown without Redis")


def test_a_server_without_a_heartbeat_is_named(monkeypatch, settings):
    class Redis:
        def __enter__(self):
            return self

        def __exit__(self, *error):
            pass

        def ping(self):
            pass

    settings.CHANNELS_REALTIME = {"REDIS_URL": "redis://somewhere"}
    monkeypatch.setattr(status.redis_clients, "connect", Redis)
    then = time.time() - STALE_AFTER_SECONDS - 8
    seen = Servers({"a/1": Report(at=time.time(), sockets=1200)}, {"b/7": Report(at=then, sockets=5)})
    monkeypatch.setattr(status.heartbeat, "load_servers", lambda _: seen)
    assert status.check_redis_and_sockets()[1] == (
        "WebSockets",
        "1,200 on 1 server; no heartbeat from b/7 for 11 s",
        False,
    )


@pytest.mark.parametrize(
    ("report", "well", "text"),
    [
        (None, True, "the doctor has not run yet"),
        ("nonsense", True, "the doctor has not run yet"),
        ({"exit_code": 0, "certificate_days": 63.2}, True, "63 days left (30 min ago)"),
        ({"exit_code": 0, "certificate_days": 13.0}, False, "13 days left (30 min ago)"),
        (
            {"exit_code": 12, "certificate_days": None},
            False,
            "expiry unknown; the doctor exited with code 12, see deploy/README.md",
        ),
    ],
)
def test_the_certificate_is_shown_as_the_doctor_saw_it(settings, tmp_path, report, well, text):
    settings.DOCTOR_REPORT = str(tmp_path / "report.json")
    if report is not None:
        (tmp_path / "report.json").write_text(json.dumps(report))
        then = time.time() - 1800
        os.utime(tmp_path / "report.json", (then, then))
    found = status.check_certificate()
    assert found.well is well
    assert found.text.startswith(text)


def test_the_doctor_warns_of_an_expiring_certificate_at_the_same_time():
    assert status.RENEW_DAYS == network.RENEW_DAYS
    assert certificate.Report.__struct_fields__ == ("exit_code", "certificate_days")
