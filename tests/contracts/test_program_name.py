"""The program's name is in few places, and in nothing that a project of another author gets from the stack."""

import re
import subprocess

import pytest

from deploy.program import PROGRAM
from tests.running import REPO

STACK = (
    *("ansible", "deploy", "docker", "systemd", "nginx", "loadtest", "Makefile"),
    *("app/channels_realtime", "app/channels_stack", "app/ops"),
)
DOCUMENTS = re.compile(r".*\.md|loadtest/results/.*")
MAX_LITERALS = 60


def find_literals() -> list[str]:
    """The places of the name in the stack's files, as file:line, once for each time that it is there."""
    listed = subprocess.run(["git", "ls-files", "-z", *STACK], cwd=REPO, capture_output=True, text=True, check=True)
    files = [file for file in listed.stdout.split("\0") if file and not DOCUMENTS.fullmatch(file)]
    found = []
    for file in files:
        for number, line in enumerate((REPO / file).read_text(errors="replace").splitlines(), 1):
            found += [f"{file}:{number}"] * line.lower().count(PROGRAM)
    return found


def test_the_stack_names_the_program_in_few_places() -> None:
    found = find_literals()
    assert "deploy/program.py:" in " ".join(found)
    assert len(found) <= MAX_LITERALS, "\n".join(found)


@pytest.mark.parametrize("folder", ["systemd", "app/channels_realtime", "app/ops"])
def test_what_runs_beside_a_project_does_not_name_the_program(folder: str) -> None:
    assert [place for place in find_literals() if place.startswith(f"{folder}/")] == []
