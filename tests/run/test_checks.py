"""`make run` reports all problems before it starts anything: one sentence each, without a traceback."""

import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from deploy.local import checks
from deploy.local.layout import REPO, Layout
from tests.nginx.served import free_ports


@pytest.fixture
def taken_port() -> Iterator[int]:
    with socket.socket() as listener:
        listener.bind(("0.0.0.0", 0))
        listener.listen()
        yield listener.getsockname()[1]


def check(folder: Path, **environment: object) -> tuple[int, list[str]]:
    """Run `deploy/run.py --check` in an empty folder; return its exit code and the lines of its output."""
    https, http = free_ports(2)
    clean = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    env = clean | {"PARLEY_VAR": f"{folder}/var", "PARLEY_HTTPS_PORT": str(https), "PARLEY_HTTP_PORT": str(http)}
    done = subprocess.run(
        [sys.executable, REPO / "deploy" / "run.py", "--check"],
        env=env | {name: str(value) for name, value in environment.items()},
        capture_output=True,
        text=True,
        check=False,
    )
    return done.returncode, (done.stdout + done.stderr).splitlines()


def test_a_machine_that_has_everything_is_ready_and_not_changed(tmp_path: Path) -> None:
    assert check(tmp_path) == (0, ["This machine is ready for `make run`."])
    assert list(tmp_path.iterdir()) == []


def test_all_problems_are_reported_at_once_one_per_line(tmp_path: Path, taken_port: int) -> None:
    deep = tmp_path / ("x" * 100)
    code, lines = check(tmp_path, PARLEY_VAR=deep, PARLEY_HTTPS_PORT=taken_port, SECRET_KEY="short")
    assert code == 1
    assert len(lines) == 3
    assert all(line.startswith("parley: ") for line in lines)
    assert f"the path {deep} is" in lines[0]
    assert f"port {taken_port} is in use by " in lines[1]
    assert f"(pid {os.getpid()})" in lines[1]
    assert "PARLEY_HTTPS_PORT" in lines[1]
    assert "SECRET_KEY is wrong: it must be 50 random characters or more." in lines[2]


@pytest.mark.parametrize(
    ("variables", "sentence"),
    [
        ({"PARLEY_HTTPS_PORT": "80x"}, "PARLEY_HTTPS_PORT is '80x': it must be a port, 1 to 65535."),
        ({"PARLEY_HTTP_PORT": "70000"}, "PARLEY_HTTP_PORT is '70000': it must be a port, 1 to 65535."),
        (
            {"PARLEY_HTTP_PORT": "9000", "PARLEY_HTTPS_PORT": "9000"},
            "PARLEY_HTTPS_PORT and PARLEY_HTTP_PORT are both 9000: they must differ.",
        ),
        ({"LOG_LEVEL": "LOUD"}, "LOG_LEVEL is 'LOUD': it must be one of DEBUG, INFO, WARNING, ERROR."),
    ],
)
def test_a_variable_that_cannot_be_used_is_one_sentence(
    tmp_path: Path, variables: dict[str, str], sentence: str
) -> None:
    assert check(tmp_path, **variables) == (1, [f"parley: {sentence}"])


def test_a_folder_whose_name_nginx_cannot_read_is_refused(tmp_path: Path) -> None:
    code, lines = check(tmp_path, PARLEY_VAR=f"{tmp_path}/a;b")
    assert code == 1
    assert "nginx cannot use a folder with such characters" in lines[0]


def test_missing_packages_are_one_command_to_type(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checks, "PROGRAM_PATH", str(tmp_path))
    layout = Layout(var=tmp_path / "var", env_file=tmp_path / ".env", https_port=1, http_port=2)
    lines = checks.check_packages(layout, {"REDIS_URL": layout.redis_url})
    assert lines == ["not installed: nginx, redis-server. Type: sudo apt-get install -y nginx redis-server"]
    # With another Redis, this one is not needed.
    assert "redis-server" not in checks.check_packages(layout, {"REDIS_URL": "redis://cache.example.org:6379/0"})[0]


def test_a_folder_is_used_by_one_run_at_a_time(tmp_path: Path) -> None:
    layout = Layout(var=tmp_path / "var", env_file=tmp_path / ".env", https_port=1, http_port=2)
    layout.make_folders()
    with checks.lock_folder(layout) as first:
        assert first
        with checks.lock_folder(layout) as second:
            assert not second
    with checks.lock_folder(layout) as third:
        assert third
