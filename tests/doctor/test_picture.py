"""What an operator reads fits into 80 columns, and has colours on a terminal alone."""

import fcntl
import os
import pty
import re
import struct
import subprocess
import sys
import termios
from dataclasses import replace

import pytest

from deploy.doctor import causes
from deploy.doctor.catalogue import ROWS, Hop, Row
from deploy.doctor.picture import WIDTH, Pen, draw
from deploy.doctor.report import Found, Machine, Passed, Report, clean
from tests.doctor.conftest import Fronted
from tests.doctor.front import Front
from tests.running import REPO

assert causes  # importing it fills the table
COLOUR = re.compile(r"\033\[[\d;]*m")
RED = "\033[1;31m"


def on_a_terminal(front: Front, *words: str, **environment: str) -> str:
    """What a terminal of 80 columns is sent."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
    command = [sys.executable, "-m", "deploy.doctor", front.url, "--http-port", str(front.http_port), *words]
    env = {name: value for name, value in os.environ.items() if name not in ("NO_COLOR", "COLUMNS")}
    process = subprocess.Popen(command, cwd=REPO, env=env | {"TERM": "xterm"} | environment, stdout=theirs)
    os.close(theirs)
    shown = b""
    while True:
        try:
            data = os.read(ours, 65536)
        except OSError:  # how Linux says that the other side has ended
            break
        shown += data
    os.close(ours)
    process.wait()
    return shown.decode().replace("\r\n", "\n").rpartition("\r\033[2K")[2]


def test_the_broken_hop_is_red(front: Fronted) -> None:
    shown = on_a_terminal(front())
    (line,) = [line for line in shown.splitlines() if "TLS   " in line]
    assert f"{RED}✗" in line
    assert f"{RED}TLS        certificate of nobody" in line
    assert max(len(COLOUR.sub("", line)) for line in shown.splitlines()) <= WIDTH


def test_no_color_is_honoured(front: Fronted) -> None:
    here = front()
    shown = on_a_terminal(here, "--ca", str(here.ca), NO_COLOR="1")
    assert "● WebSocket  101" in shown
    assert not COLOUR.search(shown)


def of(row: Row) -> Report:
    """A site that has this trouble, as both views would tell."""
    found = Found(
        row.name, row.number, row.warning, row.cause, "seen " * 40, "/etc/nginx/sites/parley.conf:31", row.fix
    )
    hops = [Passed(hop.title, "well", "a note of some words", there="unknown") for hop in Hop]
    place = list(Hop).index(row.hop)
    hops[place] = replace(hops[place], state="well" if row.warning else "broken", findings=(found,))
    machine = Machine({"127.0.0.1": "101 Switching Protocols"}, ("daphne 4.2.3",) * 12, ())
    broken = None if row.warning else row.hop.title
    return Report("https://chat.example.org", "/ws/", broken, 0, 0.1, 80, True, tuple(hops), machine, ("x y " * 30,))


@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{row.hop.title}-{row.name}")
def test_every_cause_fits(row: Row) -> None:
    lines = draw(of(row), Pen(colour=False)).splitlines()
    assert [line for line in lines if len(line) > WIDTH] == []


def test_a_report_is_read_as_it_was_written() -> None:
    made = of(ROWS[0])
    assert Report.read(made.json()).json() == made.json()


@pytest.mark.parametrize(
    ("told", "shown"),
    [
        ("REDIS_URL=redis://user:hunter2@db:6379/0", "REDIS_URL=redis://user:***@db:6379/0"),
        ("Cookie: sessionid=abcdef; theme=dark", "Cookie: ***; theme=dark"),
        ("Authorization: Bearer abc.def.ghi", "Authorization: Bearer ***"),
        ("mine is swordfish", "mine is ***"),
        ("\033]0;title\007", " ]0;title "),
    ],
)
def test_no_secret_and_nothing_that_a_terminal_obeys(told: str, shown: str) -> None:
    assert clean(told, ("swordfish",)) == shown
