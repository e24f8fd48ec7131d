"""`adopt` gives up as few of the project's versions as it takes, and says which."""

from pathlib import Path

import pytest

from deploy.adopt.adoption import adopt
from deploy.adopt.report import Report
from tests.adopt.projects import write_project
from tests.manifest.index import Index, use_index


@pytest.fixture
def index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Index:
    """Return an index with what the tutorial needs, and `events` with a wheel of its newest version alone."""
    index = Index(tmp_path / "index")
    for version in ("4.2.1", "5.2.3"):
        index.add_wheel("django", version)
    index.add_wheel("channels", "4.3.2", "django>=4.2")
    index.add_source("events", "4.5")
    index.add_wheel("events", "5.3")
    use_index(monkeypatch, tmp_path, "channels~=4.3\n", f'no-index = true\nfind-links = ["{index.folder}"]')
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return index


def resolve(tmp_path: Path, requirements: str) -> Report:
    """Return the report on the tutorial with these requirements."""
    folder = write_project(tmp_path / "mysite", {"requirements.txt": requirements})
    return adopt(str(folder), here=tmp_path, writes=False)


@pytest.mark.usefixtures("index")
def test_a_version_without_a_wheel_is_given_up_alone(tmp_path: Path) -> None:
    report = resolve(tmp_path, "Django==4.2.1\nevents==4.5\n")
    (found,) = [finding for finding in report.findings if finding.cause == "pin-freed"]
    assert (found.place, found.detail) == ("requirements.txt:2", "events==4.5 has no wheel for Python 3.11")
    assert report.packages == "resolved"
    assert 'packages = ["events"]' in report.manifest.splitlines()
    assert "pins" not in report.manifest


@pytest.mark.usefixtures("index")
def test_all_versions_are_given_up_where_the_project_names_no_django(tmp_path: Path) -> None:
    report = resolve(tmp_path, "Django\nevents==4.5\n")
    assert [finding.place for finding in report.findings if finding.cause == "pin-without-wheel"] == [
        "requirements.txt:2"
    ]
    assert 'pins = "stack"  # requirements.txt:2' in report.manifest.splitlines()
