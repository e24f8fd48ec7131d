"""What release.py understands, and what it leaves alone."""

import sys
from pathlib import Path

import pytest

from deploy import release


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
