"""What a long command prints: a line for each step, and how long a slow one takes."""

import os
import pty
import re
import subprocess
import sys
from collections.abc import Iterator

import pytest

from deploy.local.layout import REPO
from tests.nginx.served import until

# A step lasts until a line arrives at standard input.
PROGRAM = """
import sys
from deploy.local.steps import Steps
with Steps("copying the project") as steps:
    steps(sys.argv[1], has_output=sys.argv[2:] == ["has output"])
    sys.stdin.readline()
    steps("importing it")
"""


class Slow:
    """A command whose second step lasts until `finish`; its output is read from a terminal or a pipe."""

    def __init__(self, output: int, given: int, *arguments: str) -> None:
        self.output = output
        command = [sys.executable, "-c", PROGRAM, "installing its packages", *arguments]
        self.process = subprocess.Popen(command, cwd=REPO, stdin=subprocess.PIPE, stdout=given)
        os.close(given)
        os.set_blocking(output, False)
        self.text = ""

    def read(self) -> str:
        """Return all that it has printed so far."""
        try:
            while chunk := os.read(self.output, 65536):
                self.text += chunk.decode().replace("\r\n", "\n")
        except OSError:  # nothing more now, or the terminal is closed
            pass
        return self.text

    def finish(self) -> str:
        """Let the step end, and return all that was printed."""
        self.process.communicate(b"\n")
        assert self.process.returncode == 0
        return self.read()


@pytest.fixture
def piped() -> Iterator[Slow]:
    slow = Slow(*os.pipe())
    yield slow
    os.close(slow.output)


@pytest.fixture
def typed() -> Iterator[Slow]:
    slow = Slow(*pty.openpty())
    yield slow
    os.close(slow.output)


def seconds_since_start(slow: Slow) -> float:
    return float(
        subprocess.run(["ps", "-o", "etimes=", "-p", str(slow.process.pid)], check=True, capture_output=True).stdout
    )


def test_a_pipe_gets_one_line_for_a_step_and_one_for_the_time_of_a_slow_one(piped: Slow) -> None:
    until(lambda: "installing" in piped.read() and seconds_since_start(piped) >= 3)
    assert piped.read() == "parley: copying the project\nparley: installing its packages\n", "no seconds are counted"
    printed = piped.finish()
    assert re.fullmatch(
        r"parley: copying the project\nparley: installing its packages\nparley:   took \d+ s\nparley: importing it\n",
        printed,
    )


def test_a_terminal_counts_the_seconds_of_a_slow_step_below_its_line(typed: Slow) -> None:
    until(lambda: "  2 s ..." in typed.read())
    printed = typed.finish()
    assert "\r\033[Kparley:   1 s ..." in printed
    assert re.search(r"s \.\.\.\r\033\[Kparley:   took \d+ s\nparley: importing it\n$", printed), "the count is removed"


def test_a_step_whose_programs_print_themselves_is_not_counted() -> None:
    slow = Slow(*pty.openpty(), "has output")
    until(lambda: "installing" in slow.read() and seconds_since_start(slow) >= 3)
    assert "s ..." not in slow.finish()
    assert "took" in slow.text
    os.close(slow.output)
