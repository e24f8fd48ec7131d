"""What release.py understands, and what it leaves alone."""

import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from deploy import release
from deploy.journal import JournalMark
from deploy.processes import Failed


@pytest.fixture
def commands(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What the command line has started, instead of changing this machine."""
    started: list[str] = []
    monkeypatch.setattr(release, "LOCK", tmp_path / "lock")
    monkeypatch.setattr(release, "mark_journal", lambda: None)
    monkeypatch.setattr(release, "deploy", lambda version, _: started.append(f"deploy {version}"))
    monkeypatch.setattr(release, "rollback", lambda _: started.append("rollback"))
    return started


@pytest.mark.parametrize(
    ("typed", "started", "printed"),
    [
        ("deploy v2", "deploy v2", ""),
        ("to v2", "deploy v2", "release: the command 'to' is now 'deploy'\n"),
        ("rollback", "rollback", ""),
        ("back", "rollback", "release: the command 'back' is now 'rollback'\n"),
    ],
)
def test_a_playbook_of_the_release_before_is_understood(
    commands: list[str],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    typed: str,
    started: str,
    printed: str,
) -> None:
    monkeypatch.setattr(sys, "argv", ["release.py", *typed.split()])
    assert release.main() == 0
    assert commands == [started]
    assert capsys.readouterr().err == printed


def test_a_release_that_is_half_there_is_not_switched_to(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(release, "LOCK", tmp_path / "lock")
    monkeypatch.setattr(release, "mark_journal", lambda: None)
    monkeypatch.setattr(release, "RELEASES", tmp_path)
    monkeypatch.setattr(release, "CURRENT", tmp_path / "current")
    (tmp_path / "v2").mkdir()
    monkeypatch.setattr(sys, "argv", ["release.py", "deploy", "v2"])
    assert release.main() == 1
    assert capsys.readouterr().err == f"release: {tmp_path}/v2 is not a complete release\n"
    assert not (tmp_path / "current").exists()


class Services:
    """The services of a site in place of systemd's. `broken` cannot start a successor."""

    def __init__(self, broken: tuple[str, ...] = ()) -> None:
        self.broken = broken
        self.calls: list[str] = []

    def graceful_reload(self, unit: str, _: object) -> None:
        self.calls.append(f"reload {unit}")
        if unit in self.broken:
            raise Failed(f"{unit} keeps its old process")

    def restart(self, unit: str, _: object) -> None:
        self.calls.append(f"restart {unit}")


@pytest.fixture
def return_with(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[Services], list[str]]:
    """Return to the release before, with these services; the result is what was done to them."""
    units = ["parley-web.service", "parley-worker.service", "parley-ws@1.service", "parley-ws@2.service"]
    monkeypatch.setattr(release, "list_services", lambda: units)
    monkeypatch.setattr(release, "is_of_release", lambda unit, _: unit == "parley-worker.service")
    for name in ("switch_release", "run_systemctl", "verify_site"):
        monkeypatch.setattr(release, name, lambda *_: None)

    def return_with(services: Services) -> list[str]:
        monkeypatch.setattr(release, "graceful_reload", services.graceful_reload)
        monkeypatch.setattr(release, "restart", services.restart)
        release.return_to("v1", JournalMark("", 0))
        return services.calls

    return return_with


def test_the_services_return_one_after_the_other(return_with: Callable[[Services], list[str]]) -> None:
    assert return_with(Services()) == [
        "reload parley-web.service",  # the worker is of that release already
        "reload parley-ws@1.service",
        "reload parley-ws@2.service",
    ]


def test_a_server_that_cannot_start_its_successor_is_restarted(return_with: Callable[[Services], list[str]]) -> None:
    assert return_with(Services(broken=("parley-ws@1.service",))) == [
        "reload parley-web.service",
        "reload parley-ws@1.service",
        "restart parley-ws@1.service",
        "reload parley-ws@2.service",
    ]
