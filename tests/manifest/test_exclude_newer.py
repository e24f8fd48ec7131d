"""exclude_newer: a project that names no versions gets those of its day, and the stack's packages stay new."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from deploy.manifest import Manifest
from deploy.packages import PackagesNotResolved, lock_packages
from tests.manifest.dated_index import serve_index
from tests.manifest.index import Index, use_index

UPLOADS = {
    "dash-2.16-py3-none-any.whl": "2024-03-01",
    "dash-2.17-py3-none-any.whl": "2024-05-01",
    "dash-4.4-py3-none-any.whl": "2026-01-01",
    "django-5.0-py3-none-any.whl": "2023-12-04",
    "django-5.2.3-py3-none-any.whl": "2025-06-01",
    "channels-4.3.2-py3-none-any.whl": "2025-11-01",
}


@pytest.fixture
def source(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Yield the folder of a project whose index has the files of UPLOADS, and `undated`, which has no day of upload."""
    index = Index(tmp_path / "index")
    for file in UPLOADS:
        name, version = file.split("-")[:2]
        index.add_wheel(name, version)
    index.add_wheel("undated", "1.0")
    with serve_index(index.folder, UPLOADS) as address:
        use_index(monkeypatch, tmp_path, "channels~=4.3\n", f'index = [{{ url = "{address}", default = true }}]')
        folder = tmp_path / "mysite"
        folder.mkdir()
        yield folder


def lock(source: Path, day: str, lines: str, *added: str) -> str:
    """Return the locked versions of a project with these requirements, one a line."""
    (source / "requirements.txt").write_text(lines)
    manifest = Manifest(
        name="mysite", folder=source, requirements=("requirements.txt",), packages=added, exclude_newer=day
    )
    target = source.parent / "lock.txt"
    lock_packages(manifest, source, target)
    return "\n".join(line.split(" ")[0] for line in target.read_text().splitlines() if "==" in line)


def test_the_versions_are_those_from_before_the_day_but_for_the_stacks_own(source: Path) -> None:
    assert lock(source, "2024-05-01", "dash>=2\nDjango>=4\n") == "channels==4.3.2\ndash==2.16\ndjango==5.0"


def test_a_later_day_resolves_again(source: Path) -> None:
    assert "dash==2.16\n" in lock(source, "2024-05-01", "dash\n")
    assert "dash==2.17\n" in lock(source, "2024-05-02", "dash\n")
    assert "dash==4.4\n" in lock(source, "", "dash\n")


def test_django_is_of_that_day_where_the_project_names_no_version(source: Path) -> None:
    assert "django==5.0" in lock(source, "2024-05-01", "dash\nDjango\n")
    assert "django==5.2.3" in lock(source, "", "dash\nDjango\n")


def test_one_package_is_limited_by_packages_alone(source: Path) -> None:
    assert "dash==2.17\n" in lock(source, "", "dash\n", "dash<3")


def test_a_version_that_is_newer_than_the_day_is_named(source: Path) -> None:
    with pytest.raises(PackagesNotResolved) as failed:
        lock(source, "2024-05-01", "dash>=4\n")
    assert failed.value.problems == [
        "requirements.txt:1: dash>=4 has no version that was uploaded before 2024-05-01; "
        "a later day than 2024-05-01 in exclude_newer takes newer versions"
    ]


def test_an_index_without_days_of_upload_is_named(source: Path) -> None:
    with pytest.raises(PackagesNotResolved) as failed:
        lock(source, "2024-05-01", "undated==1.0\n")
    (problem,) = failed.value.problems
    assert "undated==1.0 has no day of upload in this index, so exclude_newer cannot choose its versions" in problem
