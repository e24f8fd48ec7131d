"""The doctor here and the doctor on the host, in one report."""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from unittest import mock

import pytest

from deploy import release
from tests.doctor.conftest import StartNginx
from tests.doctor.doctor_command import Doctor
from tests.doctor.edited_nginx import APPLICATION_REFUSES, EditedNginx
from tests.running import REPO

PASS = "proxy_pass http://$ws_servers;"


@pytest.fixture
def write_host_report(doctor: Doctor, tmp_path: Path) -> Callable[[EditedNginx], str]:
    """Runs the doctor on the host, and returns the file with its report."""

    def write(nginx: EditedNginx) -> str:
        doctor.on_host(nginx, "--address", "127.0.0.1").write_to(tmp_path / "host.json")
        return str(tmp_path / "host.json")

    return write


def test_the_host_works_and_the_network_before_it_does_not(
    start_nginx: StartNginx, doctor: Doctor, write_host_report: Callable[[EditedNginx], str]
) -> None:
    only_here = start_nginx({"target/https-server.conf": [("listen 0.0.0.0:", "listen 127.0.0.1:")]})
    found = doctor(only_here, "--address", "127.0.0.77", "--host-report", write_host_report(only_here))
    assert (found.hop, found.cause, found.exit_code) == ("TCP", "nothing-listens", 11)
    assert (found.hop_report("TCP")["state"], found.hop_report("TCP")["host_state"]) == ("broken", "ok")
    assert (found.hop_report("WebSocket")["state"], found.hop_report("WebSocket")["host_state"]) == ("skipped", "ok")
    shown = doctor.draw(only_here, "--address", "127.0.0.77", "--host-report", write_host_report(only_here))
    assert "✗ ● TCP        nothing listens" in shown
    assert "· ● WebSocket  101 in" in shown
    assert "between here and the host; on the host itself it works" in " ".join(shown.split())


def test_the_cause_that_the_host_found_replaces_ours(
    start_nginx: StartNginx, doctor: Doctor, write_host_report: Callable[[EditedNginx], str]
) -> None:
    wrong = start_nginx({"sites/site.conf": [(PASS, "proxy_pass http://unix:{folder}/gone.sock;")]})
    assert doctor(wrong).cause == "daphne-is-down"
    found = doctor(wrong, "--host-report", write_host_report(wrong))
    assert (found.hop, found.cause) == ("426", "socket-file-is-missing")
    assert [one["cause"] for one in found.findings(warning=False)] == ["socket-file-is-missing"]


@pytest.fixture
def ssh(tmp_path: Path) -> Iterator[Path]:
    """`ssh` runs its command on this machine. If the file exists, `ssh` prints it and fails instead."""
    refusal = tmp_path / "refusal"
    (tmp_path / "ssh").write_text(
        f'#!/bin/sh\n[ ! -e {refusal} ] || {{ cat {refusal} >&2; exit 255; }}\nshift 3\nexec sh -c "$1"\n'
    )
    (tmp_path / "ssh").chmod(0o755)
    with mock.patch.dict(os.environ, PATH=f"{tmp_path}:{os.environ['PATH']}"):
        yield refusal


def test_ssh_brings_the_doctor_to_the_host_and_leaves_no_file(
    start_nginx: StartNginx, doctor: Doctor, ssh: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    wrong = start_nginx({"snippets/proxy-websocket.conf": [("proxy_set_header Upgrade $http_upgrade;", "")]})
    before = set(tmp_path.iterdir())
    options = [
        "--nginx",
        wrong.command,
        "--log",
        str(wrong.log),
        "--redis",
        f"unix://{doctor.stack.folder}/var/run/redis.sock",
    ]
    found = doctor(wrong, "--ssh", "you@there", *options)
    assert (found.hop, found.cause) == ("WebSocket", "upgrade-is-not-forwarded")
    assert "sites/site.conf:" in found.evidence  # only the host can know
    assert found.hop_report("WebSocket")["host_state"] == "broken"
    assert set(tmp_path.iterdir()) == before


def test_a_host_that_refuses_ssh_is_not_inspected(start_nginx: StartNginx, doctor: Doctor, ssh: Path) -> None:
    ssh.write_text("you@there: Permission denied (publickey).\n")
    found = doctor(start_nginx(), "--ssh", "you@there")
    assert found.exit_code == 0
    assert found.report["not_inspected"] == ["ssh you@there: you@there: Permission denied (publickey)."]


def test_a_file_that_is_not_a_report_is_refused_with_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "x.json").write_text('{"hops": 7}')
    command = [sys.executable, "-m", "deploy.doctor", "https://localhost:1", "--host-report", str(tmp_path / "x.json")]
    done = subprocess.run(command, cwd=REPO, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "it is not a report of the doctor" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_release_is_rolled_back_with_the_doctors_sentence(
    start_nginx: StartNginx, monkeypatch: pytest.MonkeyPatch
) -> None:
    healthy, wrong = start_nginx(), start_nginx({"sites/site.conf": [(PASS, "proxy_pass http://web;")]})
    monkeypatch.setattr(release, "find_certificate", lambda: healthy.ca)
    monkeypatch.setattr(release, "read_setting", lambda _: "")
    monkeypatch.setattr(release, "read_site_name", lambda: healthy.url.removeprefix("https://"))
    release.run_doctor()
    monkeypatch.setattr(release, "read_site_name", lambda: wrong.url.removeprefix("https://"))
    with pytest.raises(release.Failed, match="lost at 426: nginx sends the WebSockets to gunicorn") as failed:
        release.run_doctor()
    assert "fix: Add a `location /ws/`" in failed.value.describe()


def test_a_release_whose_application_refuses_the_visitor_is_accepted(
    start_nginx: StartNginx, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    nginx = start_nginx({"sites/site.conf": [(PASS, APPLICATION_REFUSES + PASS)]})
    monkeypatch.setattr(release, "find_certificate", lambda: nginx.ca)
    monkeypatch.setattr(release, "read_setting", lambda _: "")
    monkeypatch.setattr(release, "read_site_name", lambda: nginx.url.removeprefix("https://"))
    release.run_doctor()
    assert "found no broken hop: the handshake reaches the application, which refuses" in capsys.readouterr().out
