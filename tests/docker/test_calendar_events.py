"""Timers in containers are planned as systemd plans them."""

import datetime as dt
import re
import shutil
import subprocess

import pytest

from deploy.containers.calendar_events import SHORTHANDS, WrongCalendar, parse_calendar

NOW = dt.datetime(2026, 11, 29, 12, 35, 7, tzinfo=dt.UTC)  # a Sunday
EVENTS = {
    "*:0/15": "2026-11-29 12:45:00",
    "*:*:0/10": "2026-11-29 12:35:10",
    "*-*-* 03:00": "2026-11-30 03:00:00",
    "03:00 UTC": "2026-11-30 03:00:00",
    "Mon..Fri 04:30": "2026-11-30 04:30:00",
    "Sat,Sun *-*-* 10:00": "2026-12-05 10:00:00",
    "mon,wed..fri 1:2": "2026-11-30 01:02:00",
    "Mon": "2026-11-30 00:00:00",
    "*-*-01 00:00": "2026-12-01 00:00:00",
    "*-2-29": "2028-02-29 00:00:00",
    "12-24": "2026-12-24 00:00:00",
    "2030-01-01": "2030-01-01 00:00:00",
    "*-*-1..7 18:00:00": "2026-12-01 18:00:00",
    "*-*-* 1..5:00/20:30": "2026-11-30 01:00:30",
    "daily": "2026-11-30 00:00:00",
    "weekly": "2026-11-30 00:00:00",
    "hourly": "2026-11-29 13:00:00",
}


@pytest.mark.parametrize(("text", "expected"), EVENTS.items())
def test_the_next_time(text: str, expected: str) -> None:
    found = parse_calendar(text).next_after(NOW)
    assert found
    assert f"{found:%Y-%m-%d %H:%M:%S}" == expected


@pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="systemd-analyze is not installed here")
@pytest.mark.parametrize("text", [*EVENTS, *SHORTHANDS])
def test_systemd_says_the_same(text: str) -> None:
    base = f"{NOW:%Y-%m-%d %H:%M:%S} UTC"
    command = ["systemd-analyze", "calendar", "--base-time", base, text]
    shown = subprocess.run(command, env={"TZ": "UTC"}, capture_output=True, text=True, check=True).stdout
    elapse = re.search(r"Next elapse: \w+ (\S+ \S+) UTC", shown)
    assert elapse
    assert f"{parse_calendar(text).next_after(NOW):%Y-%m-%d %H:%M:%S}" == elapse[1]


def test_a_time_that_never_comes() -> None:
    assert parse_calendar("2020-01-01").next_after(NOW) is None


@pytest.mark.parametrize(
    "text",
    ["", "sometimes", "25:00", "*-13-01", "Fri..Mon 12:00", "*-05~07", "5 4 * * *", "03:00 Europe/Berlin", "*:0/"],
)
def test_what_containers_do_not_understand_is_refused(text: str) -> None:
    with pytest.raises(WrongCalendar):
        parse_calendar(text)
