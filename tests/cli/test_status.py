"""`parley status`: which site of a host is meant, and how its result ends the program."""

from pathlib import Path

import pytest

from deploy.cli import __main__ as program
from deploy.cli import status
from deploy.local.layout import REPO

Shown = list[tuple[str, str, bool]]


@pytest.fixture
def shown(monkeypatch: pytest.MonkeyPatch) -> Shown:
    """What the command was asked to show, instead of a host."""
    found: Shown = []

    def show(site: str, *, destination: str, as_json: bool) -> int:
        found.append((site, destination, as_json))
        return 1

    monkeypatch.setattr(status, "show", show)
    return found


def test_a_project_is_found_on_the_host_by_its_name(tmp_path: Path, shown: Shown) -> None:
    (tmp_path / "feed").mkdir()
    (tmp_path / "manage.py").write_text('os.environ.setdefault("DJANGO_SETTINGS_MODULE", "feed.settings")\n')
    (tmp_path / "feed/settings.py").write_text("INSTALLED_APPS = []\n")
    (tmp_path / "stack.toml").write_text('name = "feed"\n')
    assert program.main(["status", str(tmp_path), "--host", "you@host", "--json"]) == 1, "the code is that of the site"
    assert shown == [("feed", "you@host", True)]


def test_this_checkout_is_the_chat(shown: Shown, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(REPO)
    program.main(["status", "--host", "you@host"])
    assert shown == [("parley", "you@host", False)]


def test_a_host_has_to_be_named(shown: Shown, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        program.main(["status"])
    assert ended.value.code == 64
    assert "--host" in capsys.readouterr().err
    assert shown == []
