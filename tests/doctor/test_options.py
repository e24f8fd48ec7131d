"""The command line: former names work and name the new ones, and wrong values end the program with a sentence."""

import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from deploy.doctor.options import (
    OPTIONS_VARIABLE,
    format_handshake,
    make_host_arguments,
    make_parser,
    parse_arguments,
    read_options,
)
from deploy.doctor.remote import pack_doctor

URL = "https://chat.example.org"
COOKIE = 'sessionid=a b; theme="it\'s dark"'


def test_former_names_of_options_work_and_print_the_new_names(capsys: pytest.CaptureFixture[str]) -> None:
    arguments = make_parser().parse_args([URL, "--patience", "2.5", "--joined", "-"])
    assert (arguments.timeout, arguments.host_report) == (2.5, "-")
    warnings = capsys.readouterr().err
    assert "--patience is now --timeout" in warnings
    assert "--joined is now --host-report" in warnings


@pytest.mark.parametrize("from_file", [True, False], ids=["in a file", "in the environment"])
def test_the_sign_in_is_accepted_under_its_former_names(
    from_file: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    sign_in = {"PARLEY_DOCTOR_COOKIE": "sessionid=1", "PARLEY_DOCTOR_ROOM": "old", "DOCTOR_ROOM": "harbour"}
    (tmp_path / "sign-in").write_text("".join(f"{name}={value}\n" for name, value in sign_in.items()))
    if not from_file:
        for name, value in sign_in.items():
            monkeypatch.setenv(name, value)
    parser = make_parser()
    options = read_options(
        parser, parser.parse_args([URL, *(["--sign-in", str(tmp_path / "sign-in")] if from_file else [])])
    )
    assert (options.cookie, options.room) == ("sessionid=1", "harbour")
    assert "PARLEY_DOCTOR_COOKIE is now DOCTOR_COOKIE" in capsys.readouterr().err


def test_the_new_names_print_no_warning(capsys: pytest.CaptureFixture[str]) -> None:
    arguments = make_parser().parse_args([URL, "--timeout", "2.5", "--host-report", "-"])
    assert (arguments.timeout, arguments.host_report) == (2.5, "-")
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ([], "the URL '' is not https://NAME[:PORT]"),
        (["http://chat.example.org"], "the URL 'http://chat.example.org' is not https://NAME[:PORT]"),
        ([URL, "--ws-path", "ws"], "--ws-path 'ws' is not a path that begins with a slash"),
        ([URL, "--timeout", "0"], "--timeout must be above zero"),
        ([URL, "--ca", "/nowhere.pem"], "--ca /nowhere.pem: there is no such file"),
        ([URL, "--private-ports", "redis"], "--private-ports 'redis' is not a list of numbers"),
        ([URL, "--postgres", "localhost"], "--postgres 'localhost' is neither a folder nor HOST:PORT"),
        ([URL, "--sign-in", "/nowhere"], "--sign-in /nowhere: No such file or directory"),
    ],
)
def test_a_wrong_option_ends_with_a_sentence(
    options: list[str], sentence: str, capsys: pytest.CaptureFixture[str]
) -> None:
    parser = make_parser()
    with pytest.raises(SystemExit) as ended:
        read_options(parser, parser.parse_args(options))
    assert ended.value.code == 2
    assert sentence in capsys.readouterr().err


def test_a_value_with_spaces_and_quotes_survives_the_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    text = format_handshake(ws_path="/feed/?a=1&b=2", subprotocol="feed.v2", origin="https://a.example", cookie=COOKIE)
    monkeypatch.setenv(OPTIONS_VARIABLE, text)
    parser = make_parser()
    options = read_options(parser, parse_arguments(parser, [URL]))
    assert (options.ws_path, options.subprotocol, options.origin) == ("/feed/?a=1&b=2", "feed.v2", "https://a.example")
    assert options.handshake_cookie == COOKIE
    assert "a b" in options.secrets
    assert "a b" not in repr(options)


def test_the_command_line_wins_over_the_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(OPTIONS_VARIABLE, "--ws-path=/feed/ --timeout 9")
    arguments = parse_arguments(make_parser(), [URL, "--ws-path", "/other/"])
    assert (arguments.ws_path, arguments.timeout) == ("/other/", 9)


def test_a_variable_with_an_open_quote_ends_with_a_sentence(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv(OPTIONS_VARIABLE, "--cookie='sessionid=a")
    with pytest.raises(SystemExit):
        parse_arguments(make_parser(), [URL])
    assert "DOCTOR_OPTIONS is not a list of options: No closing quotation" in capsys.readouterr().err


@pytest.mark.parametrize("words", [["--cookie", "a=b"], ["--cookie=a=b"]])
def test_a_cookie_on_the_command_line_is_refused_because_ps_shows_it(
    words: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        parse_arguments(make_parser(), [URL, *words])
    assert ended.value.code == 2
    assert "set it in the variable DOCTOR_OPTIONS" in capsys.readouterr().err


def test_the_host_gets_the_handshake_and_no_cookie_on_its_command_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(OPTIONS_VARIABLE, format_handshake(subprotocol="feed.v2", cookie=COOKIE))
    command = make_host_arguments(parse_arguments(make_parser(), [URL, "--origin", "https://a.example"]))
    assert {"--subprotocol=feed.v2", "--origin=https://a.example"} <= set(command)
    assert "sessionid" not in shlex.join(command)


def test_the_archive_for_a_host_brings_the_secret_options_along(tmp_path: Path) -> None:
    file = tmp_path / "doctor.zip"
    file.write_bytes(pack_doctor(format_handshake(cookie=COOKIE) + " --timeout 0"))
    done = subprocess.run([sys.executable, str(file), URL], capture_output=True, text=True, check=False, cwd=tmp_path)
    assert done.returncode == 2
    assert "--timeout must be above zero" in done.stderr
