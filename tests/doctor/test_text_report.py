"""The text report fits into 80 columns, and has colours on a terminal alone. No report has a secret."""

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

from deploy.doctor.catalogue import Cause, Hop, HopState
from deploy.doctor.causes import CAUSES
from deploy.doctor.report import HostReport, Report, ReportedFinding, ReportedHop, redact
from deploy.doctor.text_report import MAX_WIDTH, TextStyle, draw_report
from tests.doctor.conftest import StartNginx
from tests.doctor.edited_nginx import EditedNginx
from tests.running import REPO

COLOUR = re.compile(r"\033\[[\d;]*m")
RED = "\033[1;31m"


def draw_on_a_terminal(nginx: EditedNginx, *options: str, **environment: str) -> str:
    """Return what the doctor sends to a terminal of 80 columns."""
    terminal, program_side = pty.openpty()
    fcntl.ioctl(program_side, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
    command = [sys.executable, "-m", "deploy.doctor", nginx.url, "--http-port", str(nginx.http_port), *options]
    env = {name: value for name, value in os.environ.items() if name not in ("NO_COLOR", "COLUMNS")}
    process = subprocess.Popen(command, cwd=REPO, env=env | {"TERM": "xterm"} | environment, stdout=program_side)
    os.close(program_side)
    output = b""
    while True:
        try:
            data = os.read(terminal, 65536)
        except OSError:  # Linux reports the end of the program so
            break
        output += data
    os.close(terminal)
    process.wait()
    return output.decode().replace("\r\n", "\n").rpartition("\r\033[2K")[2]


def test_the_broken_hop_is_red(start_nginx: StartNginx) -> None:
    shown = draw_on_a_terminal(start_nginx())
    (line,) = [line for line in shown.splitlines() if "TLS   " in line]
    assert f"{RED}✗" in line
    assert f"{RED}TLS        certificate is untrusted" in line
    assert max(len(COLOUR.sub("", line)) for line in shown.splitlines()) <= MAX_WIDTH


def test_no_color_is_honoured(start_nginx: StartNginx) -> None:
    nginx = start_nginx()
    shown = draw_on_a_terminal(nginx, "--ca", str(nginx.ca), NO_COLOR="1")
    assert "● WebSocket  101" in shown
    assert not COLOUR.search(shown)


def make_report_of(cause: Cause) -> Report:
    """Return the merged report of a site that has this fault."""
    finding = ReportedFinding(
        cause=cause.name,
        catalogue=cause.number,
        warning=cause.is_warning,
        sentence=cause.sentence,
        seen="seen " * 40,
        where="/etc/nginx/sites/parley.conf:31",
        fix=cause.fix,
    )
    hops = [ReportedHop(hop.title, HopState.OK, "a note of some words", host_state=HopState.UNKNOWN) for hop in Hop]
    index = list(Hop).index(cause.hop)
    hops[index] = replace(hops[index], state=HopState.OK if cause.is_warning else HopState.BROKEN, findings=(finding,))
    return Report(
        url="https://chat.example.org",
        ws_path="/ws/",
        broken=None if cause.is_warning else cause.hop.title,
        exit_code=0,
        seconds=0.1,
        certificate_days=80,
        may_be_stack_site=True,
        hops=tuple(hops),
        machine=HostReport({"127.0.0.1": "101 Switching Protocols"}, ("daphne 4.2.3",) * 12, ()),
        not_inspected=("x y " * 30,),
    )


@pytest.mark.parametrize("cause", CAUSES, ids=lambda cause: f"{cause.hop.title}-{cause.name}")
def test_every_cause_fits(cause: Cause) -> None:
    lines = draw_report(make_report_of(cause), TextStyle(has_colour=False)).splitlines()
    assert [line for line in lines if len(line) > MAX_WIDTH] == []


def test_the_example_in_the_readme_is_what_the_doctor_draws() -> None:
    cause = next(cause for cause in CAUSES if cause.name == "nothing-listens")
    finding = replace(
        make_report_of(cause).hops[1].findings[0], seen="203.0.113.7 port 443: connection refused", where=""
    )
    hops = [ReportedHop(hop.title, HopState.SKIPPED) for hop in Hop]
    hops[0] = ReportedHop("DNS", HopState.OK, "203.0.113.7")
    hops[1] = ReportedHop("TCP", HopState.BROKEN, findings=(finding,))
    report = replace(make_report_of(cause), exit_code=11, seconds=0.0, hops=tuple(hops), machine=None, not_inspected=())
    readme = (REPO / "deploy/README.md").read_text()
    assert f"```{draw_report(report, TextStyle(has_colour=False))}```" in readme


def test_a_report_is_read_as_it_was_written() -> None:
    report = make_report_of(CAUSES[0])
    assert Report.from_json(report.to_json()) == report


@pytest.mark.parametrize(
    ("text", "redacted"),
    [
        ("REDIS_URL=redis://user:hunter2@db:6379/0", "REDIS_URL=redis://user:***@db:6379/0"),
        ("Cookie: sessionid=abcdef; theme=dark", "Cookie: ***; theme=dark"),
        ("Authorization: Bearer abc.def.ghi", "Authorization: Bearer ***"),
        ("mine is swordfish", "mine is ***"),
        ("\033]0;title\007", " ]0;title "),
    ],
)
def test_no_secret_and_no_control_character_is_reported(text: str, redacted: str) -> None:
    assert redact(text, ("swordfish",)) == redacted
