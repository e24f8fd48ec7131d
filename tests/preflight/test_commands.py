"""The commands of the playbook, one after the other: pack here, run the archive as the host does, report here."""

import json
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from deploy.doctor.remote import pack_doctor
from tests.preflight.test_variables import RIGHT
from tests.running import REPO

LOGIN = {"rc": 0, "stdout": "/usr/bin/python3\n"}


def run_command(name: str, given: dict[str, Any]) -> dict[str, Any]:
    done = subprocess.run(
        [sys.executable, "-m", "deploy.preflight", name],
        cwd=REPO,
        input=json.dumps(given),
        capture_output=True,
        text=True,
        check=True,
    )
    answer: dict[str, Any] = json.loads(done.stdout)
    return answer


def run_archive(path: str, folder: Path) -> str:
    """Run an archive without this repository and its packages."""
    done = subprocess.run([sys.executable, "-I", "-S", path], cwd=folder, capture_output=True, text=True, check=True)
    return done.stdout


@pytest.fixture
def connection() -> dict[str, Any]:
    return {"host": "127.0.0.1", "user": "", "port": None, "options": "-F none"}


def local(**variables: Any) -> dict[str, Any]:
    """Right variables of a site whose certificate authority is a port of this machine."""
    return {**RIGHT, "site_acme_directory": "https://127.0.0.1:1/dir", **variables}


def test_a_port_in_use_and_a_wrong_variable_are_in_one_report(tmp_path: Path, connection: dict[str, Any]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        packed = run_command("pack", local(site_domain="nonsense"))
        plan = json.loads(packed["plan"])
        assert {80, 443} <= set(plan["ports"])
        # The site of this test listens at the port that is in use.
        changed = packed["plan"].replace('"ports": [80,', f'"ports": [{port}, 80,')
        archive = tmp_path / "checks.zip"
        archive.write_bytes(Path(packed["archive"]).read_bytes())
        host = run_archive(rewrite(archive, packed["plan"], changed), tmp_path)
    answers = {"packed": packed, "login": LOGIN, "connection": connection, "host": host, "error": "", "asked_at": 0}
    verdict = run_command("report", answers)
    assert verdict["stops"] >= 3
    assert f"listens at port {port}, which nginx needs." in " ".join(verdict["text"].split())
    assert "site_domain is 'nonsense'" in verdict["text"]
    assert "certificate authority" in verdict["text"]
    assert not Path(packed["archive"]).exists()


def rewrite(archive: Path, old: str, new: str) -> str:
    """Return the path of an archive with another plan."""
    import zipfile

    changed = archive.with_name("changed.zip")
    with zipfile.ZipFile(archive) as source, zipfile.ZipFile(changed, "w") as target:
        for name in source.namelist():
            text = source.read(name).decode()
            target.writestr(name, text.replace(old, new))
    return str(changed)


def test_a_host_with_another_clock_is_a_stop(tmp_path: Path, connection: dict[str, Any]) -> None:
    packed = run_command("pack", local())
    host = run_archive(packed["archive"], tmp_path)
    answers = {"packed": packed, "login": LOGIN, "connection": connection, "host": host, "error": ""}
    verdict = run_command("report", {**answers, "asked_at": time.time() - 7200})
    assert "2 hours ahead of this machine's" in " ".join(verdict["text"].split())
    assert "ahead of" not in run_command("report", {**answers, "asked_at": 0})["text"]


def test_checks_that_did_not_run_are_a_stop(connection: dict[str, Any]) -> None:
    packed = run_command("pack", local())
    answers = {"packed": packed, "login": LOGIN, "connection": connection, "host": "", "asked_at": 0}
    verdict = run_command("report", {**answers, "error": "python3: cannot execute: required file not found"})
    assert verdict["stops"] == 1
    assert "cannot execute" in verdict["text"]


def test_a_host_that_is_not_reached_is_one_reason(connection: dict[str, Any]) -> None:
    packed = run_command("pack", local())
    login = {"unreachable": True, "msg": "ssh: connect to host 127.0.0.1 port 22: Connection refused"}
    answers = {"packed": packed, "login": login, "connection": connection, "host": "", "error": "", "asked_at": 0}
    verdict = run_command("report", answers)
    assert verdict["stops"] == 1
    assert "No ssh server listens at 127.0.0.1." in verdict["text"]


def test_the_doctor_runs_from_its_archive(tmp_path: Path) -> None:
    archive = tmp_path / "doctor.zip"
    archive.write_bytes(pack_doctor())
    done = subprocess.run(
        [sys.executable, "-I", "-S", archive, "--catalogue"], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    assert len(done.stdout.splitlines()) > 20
