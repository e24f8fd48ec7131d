"""`parley doctor`: an address, or a project whose stack.toml names its site and the handshake of its sockets."""

import argparse
from pathlib import Path
from typing import Any

import pytest

from deploy.cli import doctor

MANIFEST = """\
name = "feed"
domain = "feed.example.org"
home = "/start/"
probe = "/feed/7/"

[doctor]
subprotocol = "feed.v2"
origin = "https://pages.example.org"
cookie = "sessionid=a b"
"""
Found = list[argparse.Namespace]


@pytest.fixture
def examined(monkeypatch: pytest.MonkeyPatch) -> Found:
    """What the doctor was asked to examine, instead of examining it."""
    found: Found = []

    def run_doctor(parser: Any, arguments: argparse.Namespace) -> int:
        found.append(arguments)
        return 16

    monkeypatch.setattr(doctor, "run_doctor", run_doctor)
    monkeypatch.delenv(doctor.COOKIE_VARIABLE, raising=False)
    return found


@pytest.fixture
def feed(tmp_path: Path) -> Path:
    folder = tmp_path / "feed"
    (folder / "feed").mkdir(parents=True)
    (folder / "manage.py").write_text('os.environ.setdefault("DJANGO_SETTINGS_MODULE", "feed.settings")\n')
    (folder / "feed" / "settings.py").write_text("INSTALLED_APPS = []\n")
    (folder / "stack.toml").write_text(MANIFEST)
    return folder


def test_a_project_names_its_site_and_its_handshake(feed: Path, examined: Found) -> None:
    assert doctor.run([str(feed)]) == 16, "the exit code is the doctor's"
    (asked,) = examined
    assert (asked.url, asked.ws_path) == ("https://feed.example.org/start/", "/feed/7/")
    assert (asked.subprotocol, asked.origin, asked.cookie) == ("feed.v2", "https://pages.example.org", "sessionid=a b")


def test_inside_a_project_it_needs_no_argument(feed: Path, examined: Found, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(feed)
    doctor.run(["--hold", "70"])
    assert (examined[0].url, examined[0].hold) == ("https://feed.example.org/start/", 70)


def test_the_command_line_and_the_environment_win_over_the_manifest(
    feed: Path, examined: Found, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(doctor.COOKIE_VARIABLE, "sessionid=new")
    doctor.run([str(feed), "--ws-path", "/other/", "--origin", "https://other.example"])
    (asked,) = examined
    assert (asked.ws_path, asked.origin, asked.subprotocol) == ("/other/", "https://other.example", "feed.v2")
    assert asked.cookie == "sessionid=new"


def test_an_address_is_no_project(examined: Found, monkeypatch: pytest.MonkeyPatch, feed: Path) -> None:
    monkeypatch.chdir(feed)
    doctor.run(["https://chat.example.org/page/"])
    assert (examined[0].url, examined[0].ws_path, examined[0].cookie) == ("https://chat.example.org/page/", "", "")


def test_a_project_without_a_domain_is_one_line(
    feed: Path, examined: Found, capsys: pytest.CaptureFixture[str]
) -> None:
    (feed / "stack.toml").write_text('name = "feed"\n')
    assert doctor.run([str(feed)]) == 1
    assert capsys.readouterr().err == (
        "parley: feed has no domain: set it in stack.toml, or give the address of the site\n"
    )
    assert not examined


def test_a_wrong_manifest_is_one_line_with_its_place(
    feed: Path, examined: Found, capsys: pytest.CaptureFixture[str]
) -> None:
    (feed / "stack.toml").write_text('name = "feed"\ndoctor.cookie = "no"\n')
    assert doctor.run([str(feed)]) == 1
    assert capsys.readouterr().err == 'parley: stack.toml:2: doctor.cookie must be "NAME=VALUE", not "no"\n'


def test_wrong_options_have_the_exit_code_of_the_program() -> None:
    with pytest.raises(SystemExit) as ended:
        doctor.run(["https://chat.example.org", "--hold", "long"])
    assert ended.value.code == 64


def test_a_name_without_https_is_no_folder_and_gets_a_hint(
    examined: Found, capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert doctor.run(["chat.example.org"]) == 1
    assert capsys.readouterr().err == (
        "parley: there is no folder chat.example.org; for the site of that name write https://chat.example.org\n"
    )
    assert not examined
