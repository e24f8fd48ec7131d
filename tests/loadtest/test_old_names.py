"""Names of earlier releases work until the next one, and say what the new name is."""

import subprocess
import sys

import pytest

from loadtest.load.options import DEFAULT_USER, build_parser, parse_options
from tests.loadtest.command import REPO


def test_old_flags_work_with_a_warning(capsys: pytest.CaptureFixture[str]) -> None:
    options = build_parser({}).parse_args(["storm", "--people", "a.json", "--most-lag-ms", "70", "--against", "b.json"])
    assert (str(options.sessions), options.max_lag_ms, str(options.baseline)) == ("a.json", 70.0, "b.json")
    printed = capsys.readouterr().err
    for old, new in (("--people", "--sessions"), ("--most-lag-ms", "--max-lag-ms"), ("--against", "--baseline")):
        assert f"{old} is now called {new}" in printed


def test_old_variables_work_with_a_warning(capsys: pytest.CaptureFixture[str]) -> None:
    assert build_parser({"LOAD_MOST_LAG_MS": "80"}).parse_args([]).max_lag_ms == 80.0
    assert "LOAD_MOST_LAG_MS is now called LOAD_MAX_LAG_MS" in capsys.readouterr().err


def test_new_names_print_no_warning(capsys: pytest.CaptureFixture[str]) -> None:
    build_parser({"LOAD_MAX_LAG_MS": "80"}).parse_args(["--sessions", "a.json"])
    assert capsys.readouterr().err == ""


def test_the_old_scenario_and_user_work_with_a_warning(capsys: pytest.CaptureFixture[str]) -> None:
    options = parse_options(["day", "--user", "loadtest.parley_user:ParleyUser"])
    assert (options.scenario, options.user) == ("user-journey", DEFAULT_USER)
    printed = capsys.readouterr().err
    assert "day is now called user-journey" in printed
    assert f"loadtest.parley_user:ParleyUser is now called {DEFAULT_USER}" in printed


OLD_USER_CLASS = """
from loadtest.chat_user import ChatUser
from loadtest.connection import Ended, Refused
from loadtest.oracle import Event
from loadtest.parley_user import ParleyUser
from loadtest.websocket_user import WebSocketUser

class OldUser(ChatUser):
    abstract = True
    has_days = True

    def enter(self):
        return "joined"

    @staticmethod
    def events_in(payload):
        return [Event("room", None, payload.decode())]

assert OldUser.join(None) == "joined"
assert OldUser.decode_events(b"text")[0].text == "text"
assert OldUser.has_user_journey
assert issubclass(ParleyUser, WebSocketUser)
print("ok")
"""


def test_a_user_class_of_an_earlier_release_works_with_a_warning() -> None:
    done = subprocess.run([sys.executable, "-c", OLD_USER_CLASS], cwd=REPO, capture_output=True, text=True, check=False)
    assert done.stdout == "ok\n", done.stderr
    for sentence in (
        "loadtest.chat_user is now loadtest.load.users.chat_user",
        "OldUser.enter is now called join",
        "OldUser.events_in is now called decode_events",
    ):
        assert sentence in done.stderr
