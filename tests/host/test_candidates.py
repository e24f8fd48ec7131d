"""A release is tried beside the one that serves, and a rollback hands over one service after the other."""

import subprocess
from pathlib import Path

import pytest

from deploy import candidates, release
from deploy.candidates import find_socket_unit, list_candidates
from deploy.journal import JournalMark
from deploy.processes import Failed

MARK = JournalMark("", 0)


class Host:
    """Records what is asked of systemd, and answers as the test says."""

    def __init__(self) -> None:
        self.commands: list[str] = []
        self.inactive: set[str] = set()

    def systemctl(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        self.commands.append(" ".join(arguments))
        has_failed = arguments[0] == "is-active" and arguments[-1] in self.inactive
        return subprocess.CompletedProcess([], 3 if has_failed else 0, "loaded\n\nloaded\n", "")


@pytest.fixture
def host(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Host:
    host = Host()
    monkeypatch.setattr(candidates, "run_systemctl", host.systemctl)
    monkeypatch.setattr(candidates, "read_site_name", lambda: "chat.example.org")
    monkeypatch.setattr(candidates, "read_probes", lambda _: [])
    monkeypatch.setattr(candidates, "ask_readiness", lambda _: None)
    monkeypatch.setattr(release, "RELEASES", tmp_path / "releases")
    monkeypatch.setattr(release, "CURRENT", tmp_path / "current")
    monkeypatch.setattr(release.read_version, "__defaults__", (tmp_path / "current",))
    monkeypatch.setattr(release, "PREVIOUS", tmp_path / "previous")
    monkeypatch.setattr(release, "MANIFEST", tmp_path / "staticfiles.json")
    monkeypatch.setattr(release, "read_subprotocol", lambda: "")
    for version in ("v1", "v2"):
        (tmp_path / "releases" / version).mkdir(parents=True)
        (tmp_path / "releases" / version / "staticfiles.json").write_text(version)
        (tmp_path / "releases" / version / release.COMPLETE).touch()
    release.switch_release("v2")
    release.point_link(release.PREVIOUS, "v1")
    return host


def test_a_candidate_is_stopped_after_its_probes(host: Host) -> None:
    release.try_candidates("v1", MARK)
    units = " ".join(list_candidates("v1"))
    changes = [command for command in host.commands if not command.startswith(("show ", "is-active "))]
    assert changes == [
        f"start {units}",
        f"stop --no-block {units} {find_socket_unit('v1')}",
        f"reset-failed {units}",
    ]


def test_a_release_that_fails_a_probe_is_not_switched_to(host: Host, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(candidates, "find_failure", lambda *_: "the probe / is answered by 500, not 200")
    with pytest.raises(Failed, match=r"^v1 was not switched to, v2 serves: the probe / is answered by 500, not 200$"):
        release.rollback(MARK)
    assert release.read_version() == "v2"
    assert release.MANIFEST.read_text() == "v2"  # a server that starts now uses the files of the release that serves
    assert host.commands[-2].startswith("stop ")


def test_a_candidate_that_ends_fails_at_once(host: Host, monkeypatch: pytest.MonkeyPatch) -> None:
    web = next(iter(list_candidates("v1")))
    host.inactive.add(web)
    monkeypatch.setattr(candidates, "ask_readiness", lambda _: "no socket")
    monkeypatch.setattr(candidates, "start_failure", lambda unit, what, _: Failed(f"{unit} {what}"))
    with pytest.raises(Failed, match=f"{web} does not start"):
        release.try_candidates("v1", MARK)


def test_a_rollback_hands_over_one_service_after_the_other(host: Host, monkeypatch: pytest.MonkeyPatch) -> None:
    done: list[str] = []

    def reload(unit: str, _: JournalMark) -> None:
        if unit == "ws1":
            raise Failed("it keeps its old process")
        done.append(f"reload {unit}")

    monkeypatch.setattr(release, "list_services", lambda: ["web", "ws1", "ws2", "worker"])
    monkeypatch.setattr(release, "is_of_release", lambda unit, _: unit == "worker")
    monkeypatch.setattr(release, "graceful_reload", reload)
    monkeypatch.setattr(release, "restart", lambda unit, _: done.append(f"restart {unit}"))
    monkeypatch.setattr(release, "run_systemctl", host.systemctl)
    monkeypatch.setattr(release, "verify_site", lambda _: done.append("verify"))
    release.rollback(MARK)
    assert done == ["reload web", "restart ws1", "reload ws2", "verify"]
    assert (release.read_version(), release.read_version(release.PREVIOUS)) == ("v1", "v2")


def test_settings_with_which_the_release_fails_restart_nothing(host: Host, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(candidates, "find_failure", lambda *_: "the probe / is answered by 500, not 200")
    monkeypatch.setattr(release, "change_one_by_one", lambda *_: pytest.fail("a service was restarted"))
    with pytest.raises(Failed):
        release.restart_services(MARK)
