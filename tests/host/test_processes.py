"""When a service may start its own successor, and when systemd has to start it."""

import os
from pathlib import Path

import pytest

from deploy import processes

STARTED = 1_700_000_000


@pytest.fixture
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> processes.UnitState:
    """A server that runs, and whose files have not changed since its start."""
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
        "StatusText": "",
        "ActiveState": "active",
        "CanReload": "yes",
        "MainPID": "1",
        "InactiveExitTimestamp": f"@{STARTED}",
        "FragmentPath": str(files[2]),
        "DropInPaths": str(files[3]),
    }


def test_a_server_whose_files_have_not_changed_hands_over(state: processes.UnitState) -> None:
    assert processes.can_hand_over(state)


@pytest.mark.parametrize(
    "changed",
    ["parley.env", "credentials/SECRET_KEY", "parley-ws@.service", "parley-.service.d/10-sandbox.conf"],
)
def test_a_change_that_systemd_passes_on_only_at_a_start_needs_a_start(
    state: processes.UnitState, tmp_path: Path, changed: str
) -> None:
    os.utime(tmp_path / changed, (STARTED + 1, STARTED + 1))
    assert not processes.can_hand_over(state)


def test_a_drop_in_that_was_removed_needs_a_start(state: processes.UnitState, tmp_path: Path) -> None:
    (tmp_path / "parley-.service.d" / "20-egress.conf").touch()
    (tmp_path / "parley-.service.d" / "20-egress.conf").unlink()
    assert not processes.can_hand_over(state)


@pytest.mark.parametrize("other", [{"ActiveState": "failed"}, {"CanReload": "no"}, {"MainPID": "2"}])
def test_only_a_running_server_that_can_reload_hands_over(state: processes.UnitState, other: dict[str, str]) -> None:
    assert not processes.can_hand_over(state | other)  # type: ignore[arg-type]
