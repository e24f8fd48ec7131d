"""What is missing is installed as root; otherwise there is one line to type."""

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from loadtest.bench import install


@pytest.fixture(autouse=True)
def forget_installations() -> Iterator[None]:
    yield
    install.install_debian_package.cache_clear()
    install.install_npm_packages.cache_clear()


def test_a_user_other_than_root_gets_the_line_to_type(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    monkeypatch.setattr(install, "find_program", lambda name: f"/usr/bin/{name}")
    assert install.install_debian_package("nats-server") == (
        "nats-server is not installed. Type: sudo apt-get install -y --no-install-recommends nats-server"
    )


def test_root_installs_the_package_and_its_service_is_stopped(monkeypatch: pytest.MonkeyPatch) -> None:
    ran: list[list[str]] = []

    def run(command: list[str], **options: Any) -> subprocess.CompletedProcess[str]:
        ran.append(command)
        return subprocess.CompletedProcess(command, 0)

    monkeypatch.setattr(os, "geteuid", lambda: 0)
    monkeypatch.setattr(install, "find_program", lambda name: f"/usr/bin/{name}")
    monkeypatch.setattr(subprocess, "run", run)
    assert install.install_debian_package("nats-server") is None
    assert ran[0][-2:] == ["install", "nats-server"]
    assert Path(ran[0][1]).is_file()
    assert ran[1] == ["/usr/bin/systemctl", "--quiet", "disable", "--now", "nats-server"]


def test_without_node_socketio_is_skipped_with_the_reason(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(install, "find_program", lambda _: None)
    assert (
        install.install_npm_packages(tmp_path)
        == "Node.js and npm are not installed. Type: sudo apt-get install -y nodejs npm"
    )
