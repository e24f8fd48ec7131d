"""The system, Python, apt and SELinux of a host."""

import ast
import fcntl
import json
import multiprocessing
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from deploy.preflight.host import entry
from deploy.preflight.host.system import check_apt, check_clock, check_python, check_selinux, check_system, run_program
from deploy.preflight.plan import Plan
from tests.preflight.conftest import write

NEW = "nginx:\n  Installed: (none)\n  Candidate: 1.22\npython3-venv:\n  Installed: (none)\n  Candidate: {}\n"


def test_a_debian_is_no_finding(root: Path) -> None:
    assert [finding for finding in check_system(root) if finding.severity == "stop"] == []


def test_a_derivative_of_debian_is_no_finding(root: Path) -> None:
    write(root / "etc/os-release", 'ID=ubuntu\nID_LIKE="debian"\n')
    assert [finding for finding in check_system(root) if finding.severity == "stop"] == []


def test_another_system_is_a_stop(root: Path) -> None:
    write(root / "etc/os-release", 'ID=fedora\nPRETTY_NAME="Fedora Linux 43"\n')
    found = next(check_system(root))
    assert found.sentence == "This host runs Fedora Linux 43."
    assert "Debian 12" in found.fix


def test_a_host_without_systemd_is_a_stop(root: Path) -> None:
    (root / "run/systemd/system").rmdir()
    (found,) = [finding for finding in check_system(root) if finding.severity == "stop"]
    assert found.subject == "systemd"


def test_an_old_python_is_a_stop(plan: Plan, capsys: pytest.CaptureFixture[str]) -> None:
    entry.main(replace(plan, python=(3, 99)).to_json())
    (found,) = json.loads(capsys.readouterr().out)["findings"]
    assert found["severity"] == "stop"
    assert "is too old; the site needs 3.99 or newer" in found["sentence"]


def test_an_old_python_can_read_the_module_that_says_so() -> None:
    for file in (entry.__file__, Path(entry.__file__).with_name("__init__.py")):
        ast.parse(Path(file).read_text(), feature_version=(3, 5))


def test_this_python_is_new_enough(plan: Plan, capsys: pytest.CaptureFixture[str]) -> None:
    entry.main(plan.to_json())
    findings = json.loads(capsys.readouterr().out)["findings"]
    assert not [found for found in findings if "too old" in found["sentence"]]


def test_debians_python_gets_venv_from_a_package(plan: Plan) -> None:
    assert list(check_python(plan, "/usr/bin/python3")) == []


def test_a_python_without_a_module_is_a_stop(plan: Plan, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None if name in ("ssl", "venv") else object())
    (found,) = check_python(plan, "/usr/local/bin/python3")
    assert found.sentence.startswith("/usr/local/bin/python3, which is python3 for root, has no ssl, no venv")


@pytest.mark.parametrize(("answer", "count"), [("no", 1), ("yes", 0), ("", 0)])
def test_a_clock_that_nothing_keeps_right_is_a_note(answer: str, count: int) -> None:
    assert [finding.severity for finding in check_clock(lambda *_: answer)] == ["note"] * count


def hold(path: Path, ready: "multiprocessing.synchronize.Event", done: "multiprocessing.synchronize.Event") -> None:
    with path.open("r+b") as file:
        fcntl.lockf(file, fcntl.LOCK_EX)
        ready.set()
        done.wait()


@contextmanager
def locked(path: Path) -> Iterator[int]:
    """Another process holds the lock of apt; the value is its pid."""
    context = multiprocessing.get_context("fork")
    ready, done = context.Event(), context.Event()
    process = context.Process(target=hold, args=(path, ready, done))
    process.start()
    assert ready.wait(10)
    try:
        yield process.pid or 0
    finally:
        done.set()
        process.join()


def test_apt_at_work_is_a_note_with_its_pid(plan: Plan, root: Path) -> None:
    write(root / "var/lib/dpkg/lock-frontend", "")
    write(root / "var/lib/dpkg/updates/0001", "")  # also there while dpkg works
    with locked(root / "var/lib/dpkg/lock-frontend") as pid:
        assert pid != os.getpid()
        (found,) = check_apt(plan, root, lambda *_: "")
    assert found.severity == "note"
    assert f"(pid {pid})" in found.sentence


def test_an_interrupted_installation_is_a_stop(plan: Plan, root: Path) -> None:
    write(root / "var/lib/dpkg/lock-frontend", "")
    assert list(check_apt(plan, root, lambda *_: "")) == []
    write(root / "var/lib/dpkg/updates/0001", "")
    (found,) = check_apt(plan, root, lambda *_: "")
    assert found.fix == "On the host: dpkg --configure -a"


@pytest.mark.parametrize(("candidate", "absent"), [("(none)", True), ("3.11", False)])
def test_a_package_that_is_not_on_offer_is_a_stop(plan: Plan, root: Path, candidate: str, absent: bool) -> None:
    write(root / "var/lib/apt/lists/x_Packages", "")
    plan = replace(plan, packages=("nginx", "python3-venv"))
    found = list(check_apt(plan, root, lambda *_: NEW.format(candidate)))
    assert [finding.sentence for finding in found] == (
        ["The package sources of this host do not offer python3-venv."] if absent else []
    )


def test_a_host_without_package_sources_is_a_stop(plan: Plan, root: Path) -> None:
    (root / "etc/apt/sources.list").unlink()
    (found,) = check_apt(plan, root, lambda *_: "")
    assert found.sentence == "apt has no package sources on this host."
    write(root / "etc/apt/sources.list.d/debian.sources", "Types: deb\nURIs: http://packages.example.org/debian\n")
    assert list(check_apt(plan, root, lambda *_: "")) == []


@pytest.mark.parametrize(("text", "count"), [("1", 1), ("0", 0)])
def test_selinux_is_a_note_where_it_is_enforcing(root: Path, text: str, count: int) -> None:
    write(root / "sys/fs/selinux/enforce", text)
    assert len(list(check_selinux(root))) == count


def test_a_program_that_is_absent_or_fails_or_hangs_prints_nothing() -> None:
    assert run_program("no-such-program") == ""
    assert run_program("false") == ""
    assert run_program("sleep", "60", timeout=0.1) == ""
    assert run_program("echo", "a word") == "a word"
