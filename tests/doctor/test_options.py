"""The command line: former names work and name the new ones, and wrong values end the program with a sentence."""

import pytest

from deploy.doctor.options import make_parser, read_options

URL = "https://chat.example.org"


def test_former_names_of_options_work_and_print_the_new_names(capsys: pytest.CaptureFixture[str]) -> None:
    arguments = make_parser().parse_args([URL, "--patience", "2.5", "--joined", "-"])
    assert (arguments.timeout, arguments.host_report) == (2.5, "-")
    warnings = capsys.readouterr().err
    assert "--patience is now --timeout" in warnings
    assert "--joined is now --host-report" in warnings


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
