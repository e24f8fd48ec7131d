"""From here and on the machine, in one picture."""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from unittest import mock

import pytest

from deploy import release
from tests.doctor.conftest import Fronted
from tests.doctor.front import Front
from tests.doctor.patient import Doctor
from tests.running import REPO

PASS = "proxy_pass http://$ws_servers;"


@pytest.fixture
def there(doctor: Doctor, tmp_path: Path) -> Callable[[Front], str]:
    """What the doctor says on the machine, as a file."""

    def look(front: Front) -> str:
        doctor.inside(front, "--address", "127.0.0.1").leave(tmp_path / "there.json")
        return str(tmp_path / "there.json")

    return look


def test_a_machine_that_is_well_behind_a_way_that_is_not(
    front: Fronted, doctor: Doctor, there: Callable[[Front], str]
) -> None:
    only_here = front({"target/https-server.conf": [("listen 0.0.0.0:", "listen 127.0.0.1:")]})
    found = doctor(only_here, "--address", "127.0.0.77", "--joined", there(only_here))
    assert (found.hop, found.cause, found.code) == ("TCP", "nobody-listens", 11)
    assert (found.of("TCP")["state"], found.of("TCP")["there"]) == ("broken", "well")
    assert (found.of("WebSocket")["state"], found.of("WebSocket")["there"]) == ("unreached", "well")
    shown = doctor.shown(only_here, "--address", "127.0.0.77", "--joined", there(only_here))
    assert "✗ ● TCP        nobody listens" in shown
    assert "· ● WebSocket  101 in" in shown
    assert "on the way to the machine, which is well itself" in " ".join(shown.split())


def test_the_machine_knows_the_cause_better(front: Fronted, doctor: Doctor, there: Callable[[Front], str]) -> None:
    wrong = front({"sites/parley.conf": [(PASS, "proxy_pass http://unix:{folder}/gone.sock;")]})
    assert doctor(wrong).cause == "daphne-is-down"
    found = doctor(wrong, "--joined", there(wrong))
    assert (found.hop, found.cause) == ("426", "socket-file-is-missing")
    assert [one["cause"] for one in found.findings(warning=False)] == ["socket-file-is-missing"]


@pytest.fixture
def ssh(tmp_path: Path) -> Iterator[Path]:
    """`ssh` leads to this machine; what stands in the file is said instead, if something does."""
    refusal = tmp_path / "refusal"
    (tmp_path / "ssh").write_text(
        f'#!/bin/sh\n[ ! -e {refusal} ] || {{ cat {refusal} >&2; exit 255; }}\nshift 3\nexec sh -c "$1"\n'
    )
    (tmp_path / "ssh").chmod(0o755)
    with mock.patch.dict(os.environ, PATH=f"{tmp_path}:{os.environ['PATH']}"):
        yield refusal


def test_over_ssh_the_doctor_travels_along_and_leaves_nothing(
    front: Fronted, doctor: Doctor, ssh: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    wrong = front({"snippets/proxy-websocket.conf": [("proxy_set_header Upgrade $http_upgrade;", "")]})
    before = set(tmp_path.iterdir())
    words = [
        "--nginx",
        wrong.command,
        "--log",
        str(wrong.log),
        "--redis",
        f"unix://{doctor.stack.folder}/var/run/redis.sock",
    ]
    found = doctor(wrong, "--ssh", "you@there", *words)
    assert (found.hop, found.cause) == ("WebSocket", "upgrade-is-not-forwarded")
    assert "sites/parley.conf:" in found.evidence  # only the machine can know
    assert found.of("WebSocket")["there"] == "broken"
    assert set(tmp_path.iterdir()) == before


def test_a_machine_that_lets_nobody_in_is_a_view_less(front: Fronted, doctor: Doctor, ssh: Path) -> None:
    ssh.write_text("you@there: Permission denied (publickey).\n")
    found = doctor(front(), "--ssh", "you@there")
    assert found.code == 0
    assert found.said["not_seen"] == ["ssh you@there: you@there: Permission denied (publickey)."]


def test_what_is_no_report_is_refused_in_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "x.json").write_text('{"hops": 7}')
    words = [sys.executable, "-m", "deploy.doctor", "https://localhost:1", "--joined", str(tmp_path / "x.json")]
    done = subprocess.run(words, cwd=REPO, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "not a report of this doctor's" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_release_is_taken_back_with_the_doctors_sentence(front: Fronted, monkeypatch: pytest.MonkeyPatch) -> None:
    here, wrong = front(), front({"sites/parley.conf": [(PASS, "proxy_pass http://web;")]})
    monkeypatch.setattr(release, "CERTIFICATE", here.ca)
    monkeypatch.setattr(release, "site_name", lambda: here.url.removeprefix("https://"))
    release.look()
    monkeypatch.setattr(release, "site_name", lambda: wrong.url.removeprefix("https://"))
    with pytest.raises(release.Failed, match="lost at 426: nginx sends the sockets to gunicorn") as failed:
        release.look()
    assert "fix: A `location /ws/`" in str(failed.value)
