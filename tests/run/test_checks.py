"""`make run` reports all problems before it starts anything: one sentence each, without a traceback."""

import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from deploy.local import checks
from deploy.local.guest import empty_secrets
from deploy.local.layout import REPO, Layout
from deploy.manifest import Manifest
from tests.nginx.served import free_ports


@pytest.fixture
def taken_port() -> Iterator[int]:
    with socket.socket() as listener:
        listener.bind(("0.0.0.0", 0))
        listener.listen()
        yield listener.getsockname()[1]


def check(folder: Path, **environment: object) -> tuple[int, list[str]]:
    """Run `deploy/run.py --check` in an empty folder; return its exit code and the lines of its output.

    A variable that is None is not set.
    """
    https, http = free_ports(2)
    clean = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    env = clean | {"STACK_VAR": f"{folder}/var", "HTTPS_PORT": str(https), "HTTP_PORT": str(http)}
    done = subprocess.run(
        [sys.executable, REPO / "deploy" / "run.py", "--check"],
        env={name: str(value) for name, value in (env | environment).items() if value is not None},
        capture_output=True,
        text=True,
        check=False,
    )
    return done.returncode, (done.stderr + done.stdout).splitlines()


def test_a_machine_that_has_everything_is_ready_and_not_changed(tmp_path: Path) -> None:
    assert check(tmp_path) == (0, ["This machine is ready for `make run`."])
    assert list(tmp_path.iterdir()) == []


def test_a_variable_works_under_its_former_name_which_is_reported(tmp_path: Path) -> None:
    reported, refused = check(tmp_path, HTTPS_PORT=None, PARLEY_HTTPS_PORT="80x")[1]
    assert reported == "parley: PARLEY_HTTPS_PORT is now HTTPS_PORT; the former name works until the next release."
    assert refused == "parley: HTTPS_PORT is '80x': it must be a port, 1 to 65535."


def test_a_name_wins_over_its_former_name(tmp_path: Path) -> None:
    code, (reported, ready) = check(tmp_path, PARLEY_HTTPS_PORT="80x")
    assert (code, ready) == (0, "This machine is ready for `make run`.")
    assert "HTTPS_PORT is now HTTPS_PORT" in reported


def test_all_problems_are_reported_at_once_one_per_line(tmp_path: Path, taken_port: int) -> None:
    deep = tmp_path / ("x" * 100)
    code, lines = check(tmp_path, STACK_VAR=deep, HTTPS_PORT=taken_port, SECRET_KEY="short")
    assert code == 1
    assert len(lines) == 3
    assert all(line.startswith("parley: ") for line in lines)
    assert f"the path {deep} is" in lines[0]
    assert f"port {taken_port} is in use by " in lines[1]
    assert f"(pid {os.getpid()})" in lines[1]
    assert "HTTPS_PORT" in lines[1]
    assert "SECRET_KEY is wrong: it must be 50 random characters or more." in lines[2]


@pytest.mark.parametrize(("family", "address"), [(socket.AF_INET, "0.0.0.0"), (socket.AF_INET6, "::")])
def test_a_port_is_in_use_with_either_family(family: socket.AddressFamily, address: str) -> None:
    with socket.socket(family) as listener:
        if family == socket.AF_INET6:
            listener.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        listener.bind((address, 0))
        listener.listen()
        port = listener.getsockname()[1]
        assert checks.is_in_use(port)
    assert not checks.is_in_use(port)


def test_a_port_that_needs_root_is_not_in_use(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checks, "try_port", lambda _: PermissionError())
    assert not checks.is_in_use(443), "Docker may publish it"


@pytest.mark.parametrize(
    ("variables", "sentence"),
    [
        ({"HTTPS_PORT": "80x"}, "HTTPS_PORT is '80x': it must be a port, 1 to 65535."),
        ({"HTTP_PORT": "70000"}, "HTTP_PORT is '70000': it must be a port, 1 to 65535."),
        (
            {"HTTP_PORT": "9000", "HTTPS_PORT": "9000"},
            "HTTPS_PORT and HTTP_PORT are both 9000: they must differ.",
        ),
        ({"LOG_LEVEL": "LOUD"}, "LOG_LEVEL is 'LOUD': it must be one of DEBUG, INFO, WARNING, ERROR."),
    ],
)
def test_a_variable_that_cannot_be_used_is_one_sentence(
    tmp_path: Path, variables: dict[str, str], sentence: str
) -> None:
    assert check(tmp_path, **variables) == (1, [f"parley: {sentence}"])


def test_a_folder_whose_name_nginx_cannot_read_is_refused(tmp_path: Path) -> None:
    code, lines = check(tmp_path, STACK_VAR=f"{tmp_path}/a;b")
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


def test_a_secret_that_a_developer_does_not_have_is_empty(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("STRIPE_KEY", "sk")
    monkeypatch.delenv("MAIL_PASSWORD", raising=False)
    manifest = Manifest(name="mysite", folder=Path(), secrets=("STRIPE_KEY", "MAIL_PASSWORD"))
    assert empty_secrets(manifest) == {"MAIL_PASSWORD": ""}
    assert capsys.readouterr().out.rstrip().endswith("so they are empty here: MAIL_PASSWORD")


@pytest.mark.parametrize(("port", "url"), [(443, "https://localhost"), (8443, "https://localhost:8443")])
def test_the_address_of_a_run_is_what_browsers_send_as_origin(port: int, url: str) -> None:
    """A page at port 443 that opens a socket at another port was refused: its Origin has no port."""
    assert Layout(var=Path(), env_file=Path(), https_port=port, http_port=8080).url == url
