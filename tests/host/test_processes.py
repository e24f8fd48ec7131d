"""When a process may start its successor, and when it has to be started anew."""

import os
from pathlib import Path

import pytest

from deploy import processes

STARTED = 1_700_000_000


@pytest.fixture
def shown(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """A server that runs, of whose files none has changed since."""
    names = ("parley.env", "credentials/SECRET_KEY", "parley-ws@.service", "parley-.service.d/10-sandbox.conf")
    files = [tmp_path / name for name in names]
    for file in files:
        file.parent.mkdir(exist_ok=True)
        file.touch()
    for path in [*files, *(file.parent for file in files)]:
        os.utime(path, (STARTED - 1, STARTED - 1))
    monkeypatch.setattr(processes, "SETTINGS", files[0])
    monkeypatch.setattr(processes, "SECRETS", files[1].parent)
    monkeypatch.setattr(processes, "PROC", tmp_path)
    for pid, caught in (("1", "0000000000004003"), ("2", "0000000000004002")):
        (tmp_path / pid).mkdir()
        (tmp_path / pid / "status").write_text(f"Name:\tpython\nSigCgt:\t{caught}\nCapInh:\t0\n")
    return {
        "ActiveState": "active",
        "CanReload": "yes",
        "MainPID": "1",
        "InactiveExitTimestamp": f"@{STARTED}",
        "FragmentPath": str(files[2]),
        "DropInPaths": str(files[3]),
    }


def test_a_server_hands_over(shown: dict[str, str]) -> None:
    assert processes.can_hand_over(shown)


@pytest.mark.parametrize(
    "changed",
    ["parley.env", "credentials/SECRET_KEY", "parley-ws@.service", "parley-.service.d/10-sandbox.conf"],
)
def test_what_systemd_gives_at_a_start_alone_needs_a_start(shown: dict[str, str], tmp_path: Path, changed: str) -> None:
    os.utime(tmp_path / changed, (STARTED + 1, STARTED + 1))
    assert not processes.can_hand_over(shown)


def test_a_drop_in_that_is_gone_needs_a_start(shown: dict[str, str], tmp_path: Path) -> None:
    (tmp_path / "parley-.service.d" / "20-egress.conf").touch()
    (tmp_path / "parley-.service.d" / "20-egress.conf").unlink()
    assert not processes.can_hand_over(shown)


@pytest.mark.parametrize("other", [{"ActiveState": "failed"}, {"CanReload": "no"}, {"MainPID": "2"}])
def test_only_a_server_that_runs_and_can_hands_over(shown: dict[str, str], other: dict[str, str]) -> None:
    assert not processes.can_hand_over(shown | other)
