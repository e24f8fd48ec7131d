"""The text: the stops first, aligned, each with what to do, and how to accept one."""

from deploy.preflight.finding import note, stop
from deploy.preflight.report import draw_report, join_findings

CLOCK = note("clock", "Nothing synchronises the clock of this host.", "apt-get install systemd-timesyncd")
PORT = stop("port 80", "apache2 (pid 812) listens at port 80, which nginx needs.", "Stop it.")
SUDO = stop("sudo", "sudo asks ann for a password on this host.", "Give it: -K")

EXPECTED = """\
203.0.113.7 cannot become the site yet: 1 reason. Nothing was changed.

  ✗ port 80  apache2 (pid 812) listens at port 80, which nginx needs.
             → Stop it.

  · clock    Nothing synchronises the clock of this host.
             → apt-get install systemd-timesyncd

To deploy in spite of a reason that does not apply to you: -e site_accept=port-80"""


def test_stops_come_first_and_everything_is_aligned() -> None:
    assert draw_report(join_findings("203.0.113.7", [CLOCK, PORT, PORT], ()), 90) == EXPECTED


def test_no_line_is_wider_than_the_terminal() -> None:
    long = stop("port 80", "a word and another one, " * 20, "do this and that, " * 20)
    text = draw_report(join_findings("203.0.113.7", [long], ()), 72)
    assert max(map(len, text.splitlines())) <= 72


def test_a_stop_that_is_accepted_is_a_note() -> None:
    report = join_findings("203.0.113.7", [PORT], ("port-80",))
    assert report.stops == ()
    assert draw_report(report, 90).startswith("203.0.113.7 has what the site needs; 1 note.")
    assert "Accepted: apache2" in draw_report(report, 90)


def test_a_stop_without_which_nothing_can_begin_cannot_be_accepted() -> None:
    report = join_findings("203.0.113.7", [SUDO], ("sudo",))
    assert report.stops == (SUDO,)
    assert "site_accept" not in draw_report(report, 90)


def test_a_host_without_findings_is_one_line() -> None:
    assert draw_report(join_findings("203.0.113.7", [], ()), 90) == "203.0.113.7 has what the site needs."
