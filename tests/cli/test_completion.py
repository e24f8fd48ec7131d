"""`parley completion`: a shell completes every command and every option."""

import re
import subprocess
from functools import cache
from pathlib import Path

import pytest

from deploy.cli.__main__ import build_parsers
from tests.cli.test_program import parley

COMMANDS = list(build_parsers()[1])


@pytest.fixture(scope="module")
def script(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The script for bash."""
    printed = parley("completion", "bash")
    assert printed.returncode == 0, printed.stderr
    file = tmp_path_factory.mktemp("bash") / "parley"
    file.write_text(printed.stdout)
    return file


def complete(script: Path, *words: str) -> list[str]:
    """Return what bash offers for the last of these words when TAB is pressed after it."""
    program = f"""
        set -euo pipefail
        source {script}
        COMP_WORDS=("$@") COMP_CWORD=$(($# - 1))
        eval "$(complete -p parley | sed -E 's/.* -F ([^ ]+) .*/\\1/')"
        if [ "${{#COMPREPLY[@]}}" -gt 0 ]; then printf '%s\\n' "${{COMPREPLY[@]}}"; fi
    """
    done = subprocess.run(["bash", "-c", program, "bash", *words], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    return done.stdout.splitlines()


@cache
def options_of(command: str) -> set[str]:
    """Return the options that the help of a command shows, by its usage and its list."""
    text = parley(command, "--help").stdout
    return set(re.findall(r"^  (?:-\w, )?(--?[\w-]+)", text.rpartition("options:\n")[2], re.MULTILINE))


def test_the_beginning_of_a_command_is_completed(script: Path) -> None:
    assert complete(script, "parley", "ad") == ["adopt"]
    assert complete(script, "parley", "do") == ["down", "doctor"]
    assert complete(script, "parley", "--v") == ["--version"]


def test_an_empty_word_offers_every_command(script: Path) -> None:
    assert complete(script, "parley", "")[: len(COMMANDS)] == COMMANDS


@pytest.mark.parametrize("command", COMMANDS)
def test_every_option_of_the_help_is_completed(script: Path, command: str) -> None:
    wanted = options_of(command)
    assert {"--help"} <= wanted
    assert wanted <= set(complete(script, "parley", command, "-"))


def test_a_word_that_must_be_one_of_a_few_is_completed_and_any_other_is_left_to_the_names_of_files(
    script: Path,
) -> None:
    assert complete(script, "parley", "completion", "") == ["bash", "zsh", "fish"]
    assert complete(script, "parley", "run", "--check", "~/my") == []
    assert "complete -o default " in script.read_text()


@pytest.mark.parametrize("shell", ["zsh", "fish"])
def test_the_scripts_of_other_shells_have_every_command_and_option(shell: str) -> None:
    text = parley("completion", shell).stdout
    for command in COMMANDS:
        for option in options_of(command):
            is_short = len(option) == 2
            name = {"fish": f" -{'s' if is_short else 'l'} {option.lstrip('-')} ", "zsh": f"'{option}:"}[shell]
            lines = [line for line in text.splitlines() if re.search(rf"(^\s+|from ){command}\b", line)]
            assert any(name in line for line in lines), (command, option)


def test_another_shell_is_refused() -> None:
    refused = parley("completion", "tcsh")
    assert refused.returncode == 64
    assert "invalid choice: 'tcsh'" in refused.stderr
