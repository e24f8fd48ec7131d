"""The program `parley`: its help, its exit codes, and its installation from this checkout."""

import os
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from deploy.cli.__main__ import build_parsers

REPO = Path(__file__).resolve().parent.parent.parent
PROGRAM = [sys.executable, "-m", "deploy.cli"]


def parley(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([*PROGRAM, *arguments], cwd=REPO, capture_output=True, text=True, check=False)


COMMANDS = list(build_parsers()[1])


def test_the_help_names_every_command_and_has_examples() -> None:
    shown = parley("--help")
    assert shown.returncode == 0
    for command in COMMANDS:
        assert f"\n    {command} " in shown.stdout or f"\n    {command}\n" in shown.stdout
    for command in ("adopt", "run", "up", "deploy", "doctor", "load"):
        assert f"  parley {command} " in shown.stdout


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_explains_itself_with_an_example(command: str) -> None:
    shown = parley(command, "--help")
    assert shown.returncode == 0
    assert f"\n  parley {command} " in shown.stdout
    assert "python -m" not in shown.stdout


def test_the_version_is_that_of_the_package() -> None:
    shown = parley("--version")
    assert shown.stdout == f"parley {tomllib.loads((REPO / 'pyproject.toml').read_text())['project']['version']}\n"


@pytest.mark.parametrize(
    ("typed", "sentence"),
    [
        ("deplyo", 'parley: there is no command "deplyo"; did you mean "deploy"? (see parley --help)\n'),
        ("Doctor", 'parley: there is no command "Doctor"; did you mean "doctor"? (see parley --help)\n'),
        ("dance", 'parley: there is no command "dance" (see parley --help)\n'),
    ],
)
def test_a_wrong_command_suggests_the_nearest(typed: str, sentence: str) -> None:
    refused = parley(typed)
    assert (refused.returncode, refused.stderr) == (64, sentence)


@pytest.mark.parametrize("arguments", [[], ["dance"], ["run", "--tango"]])
def test_wrong_arguments_are_one_line_and_exit_code_64(arguments: list[str]) -> None:
    refused = parley(*arguments)
    assert refused.returncode == 64
    assert refused.stdout == ""
    assert refused.stderr.startswith("parley: ")
    assert len(refused.stderr.splitlines()) == 1


def test_a_folder_that_does_not_exist_is_one_line(tmp_path: Path) -> None:
    refused = parley("run", str(tmp_path / "nothing"))
    assert refused.returncode == 1
    assert str(tmp_path / "nothing") in refused.stderr
    assert len(refused.stderr.splitlines()) == 1


def test_the_wheel_requires_what_the_program_is_tested_with() -> None:
    """A lower bound of pyproject.toml stands also in the list from which the tests' packages are locked."""
    wanted = tomllib.loads((REPO / "pyproject.toml").read_text())["project"]["dependencies"]
    listed = "\n".join((REPO / "requirements" / f"{name}.in").read_text() for name in ("base", "dev", "deploy"))
    locked = "\n".join((REPO / "requirements" / f"{name}.txt").read_text() for name in ("dev", "deploy"))
    for requirement in wanted:
        if "~=" in requirement:
            assert f"\n{requirement}" in listed, requirement
        else:
            assert f"\n{requirement}==" in locked, requirement


def test_the_load_test_of_the_wheel_requires_what_it_is_tested_with() -> None:
    wanted = tomllib.loads((REPO / "pyproject.toml").read_text())["project"]["optional-dependencies"]["load"]
    listed = (REPO / "requirements" / "load.in").read_text().splitlines()
    assert wanted == [line for line in listed if line[0] not in "#-"]


def test_the_program_installs_from_this_checkout(tmp_path: Path) -> None:
    uv = str(Path(sys.executable).with_name("uv"))
    run = lambda *command: subprocess.run(command, check=True, capture_output=True, text=True)  # noqa: E731
    run(uv, "build", "--wheel", "--quiet", "--out-dir", str(tmp_path), str(REPO))
    run(uv, "venv", "--quiet", "--python", sys.executable, str(tmp_path / "venv"))
    wheel = next(tmp_path.glob("parley-*.whl"))
    run(uv, "pip", "install", "--quiet", "--python", str(tmp_path / "venv" / "bin" / "python"), str(wheel))
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    shown = subprocess.run(
        [str(tmp_path / "venv" / "bin" / "parley"), "--help"],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert shown.returncode == 0, shown.stderr
    assert shown.stdout == parley("--help").stdout
    version = subprocess.run(
        [str(tmp_path / "venv" / "bin" / "parley"), "--version"],
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )
    assert version.stdout == parley("--version").stdout
