"""The packages of a project and of the stack become one list with hashes, or each that does not fit is named."""

from dataclasses import replace
from pathlib import Path

import pytest

from deploy import resolver
from deploy.manifest import Manifest
from deploy.packages import DJANGO, PackagesNotResolved, ResolverNotUsable, find_freed_pins, lock_packages
from tests.manifest.index import Index, use_index

ADVICE = 'pins = "stack" in stack.toml takes newer versions'
SITE = "channels~=4.3\nredis~=8.0\n"


@pytest.fixture
def index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Index:
    index = Index(tmp_path / "index")
    for version in ("4.2.1", "5.2.3", "6.0.1"):
        index.add_wheel("django", version)
    index.add_wheel("channels", "4.3.2", "django>=4.2")
    index.add_wheel("redis", "8.1.0")
    use_index(monkeypatch, tmp_path, SITE, f'no-index = true\nfind-links = ["{index.folder}"]')
    return index


@pytest.fixture
def source(tmp_path: Path) -> Path:
    folder = tmp_path / "mysite"
    folder.mkdir()
    return folder


def manifest_of(source: Path, lines: str = "", **fields: object) -> Manifest:
    if lines:
        (source / "requirements.txt").write_text(lines)
        fields["requirements"] = ("requirements.txt",)
    return replace(Manifest(name="mysite", folder=source), **fields)  # type: ignore[arg-type]


def versions(source: Path, manifest: Manifest) -> dict[str, str]:
    target = source.parent / "lock.txt"
    lock_packages(manifest, source, target)
    lines = [line.split(" ")[0] for line in target.read_text().splitlines() if "==" in line]
    return dict(line.rstrip("\\").split("==") for line in lines)


def problems(source: Path, manifest: Manifest) -> list[str]:
    with pytest.raises(PackagesNotResolved) as failed:
        lock_packages(manifest, source, source.parent / "lock.txt")
    return failed.value.problems


@pytest.mark.usefixtures("index")
def test_a_project_that_names_nothing_gets_the_stacks_packages_and_its_django(source: Path) -> None:
    assert versions(source, manifest_of(source)) == {"channels": "4.3.2", "django": "5.2.3", "redis": "8.1.0"}


@pytest.mark.usefixtures("index")
def test_every_line_has_a_hash_and_no_address(source: Path) -> None:
    target = source.parent / "lock.txt"
    lock_packages(manifest_of(source), source, target)
    text = target.read_text()
    assert text.count("--hash=sha256:") == 3
    assert str(source.parent) not in text
    assert "://" not in text


@pytest.mark.usefixtures("index")
def test_a_version_of_the_project_stays_and_one_of_the_stacks_own_packages_does_not(source: Path) -> None:
    manifest = manifest_of(source, "Django==4.2.1\nchannels==2.4.0\n")
    assert versions(source, manifest) == {"channels": "4.3.2", "django": "4.2.1", "redis": "8.1.0"}
    resolution = lock_packages(manifest, source, source.parent / "lock.txt")
    assert resolution.decisions == ("requirements.txt:2: the stack's version replaces channels==2.4.0",)


def test_packages_of_the_manifest_replace_those_of_the_files(index: Index, source: Path) -> None:
    index.add_wheel("bleach", "6.1")
    manifest = manifest_of(source, "bleach==3.0\nDjango<5\n", packages=("bleach>=6", "django==6.0.1"))
    assert versions(source, manifest) == {"bleach": "6.1", "channels": "4.3.2", "django": "6.0.1", "redis": "8.1.0"}


def test_a_driver_that_needs_a_compiler_is_replaced_by_its_wheel(index: Index, source: Path) -> None:
    index.add_wheel("psycopg2-binary", "2.9.9", tag="cp311-cp311-manylinux_2_17_x86_64")
    assert versions(source, manifest_of(source, "psycopg2==2.9.9\nmysqlclient==2.2\n"))["psycopg2-binary"] == "2.9.9"


def test_each_version_without_a_wheel_is_named_with_its_line(index: Index, source: Path) -> None:
    index.add_source("twisted", "20.3.0")
    index.add_wheel("twisted", "24.7")
    index.add_wheel("bleach", "3.1", tag="cp36-cp36m-manylinux1_x86_64")
    index.add_wheel("bleach", "6.1")
    lines = "# frozen\nTwisted==20.3.0\nDjango==4.2.1\n\nbleach==3.1\n"
    assert problems(source, manifest_of(source, lines)) == [
        f"requirements.txt:2: twisted==20.3.0 has no wheel for Python 3.11; {ADVICE}",
        f"requirements.txt:5: bleach==3.1 has no wheel for Python 3.11; {ADVICE}",
    ]


def test_the_stacks_pins_give_up_no_more_versions_than_it_takes(index: Index, source: Path) -> None:
    index.add_source("twisted", "20.3.0")
    index.add_wheel("twisted", "24.7")
    index.add_source("bleach", "3.1")
    index.add_wheel("bleach", "6.1")
    index.add_wheel("emoji", "1.0")
    index.add_wheel("emoji", "2.0")
    manifest = manifest_of(source, "Twisted==20.3.0\nDjango==4.2.1\nbleach==3.1\nemoji==1.0\n", pins="stack")
    found = versions(source, manifest)
    site = {"channels": "4.3.2", "django": "5.2.3", "redis": "8.1.0"}
    assert found == site | {"bleach": "6.1", "emoji": "1.0", "twisted": "24.7"}


def freed(source: Path, lines: str) -> list[str]:
    return [requirement.text for requirement in find_freed_pins(manifest_of(source, lines), source)]


def test_one_missing_wheel_frees_that_package_alone(index: Index, source: Path) -> None:
    index.add_source("events", "4.5.1")
    index.add_wheel("events", "5.3")
    index.add_wheel("django-ninja", "1.3")
    index.add_wheel("django-ninja", "1.5")
    lines = "Django==4.2.1\nevents[redis]==4.5.1\ndjango-ninja==1.3\n"
    assert freed(source, lines) == ["events[redis]==4.5.1"]
    found = versions(source, manifest_of(source, lines, packages=("events[redis]",)))
    assert (found["django"], found["django-ninja"], found["events"]) == ("4.2.1", "1.3", "5.3")


def test_what_contradicts_a_freed_package_is_freed_with_it(index: Index, source: Path) -> None:
    index.add_source("core-part", "2.0")
    index.add_wheel("core-part", "3.0")
    for version in ("2", "3"):
        index.add_wheel("data-model", f"{version}.0", f"core-part=={version}.0")
    index.add_wheel("emoji", "1.0")
    index.add_wheel("emoji", "2.0")
    lines = "Django==4.2.1\ncore-part==2.0\ndata-model==2.0\nemoji==1.0\n"
    assert freed(source, lines) == ["core-part==2.0", "data-model==2.0"]


def test_no_package_is_freed_alone_where_django_has_no_version_or_cannot_keep_it(index: Index, source: Path) -> None:
    index.add_source("events", "4.5.1")
    index.add_wheel("events", "5.3", "django>=5")
    assert freed(source, "Django\nevents==4.5.1\n") == []
    assert freed(source, "Django==4.2.1\nevents==4.5.1\n") == []
    assert freed(source, "Django==4.2.1\n") == []


def test_versions_that_contradict_each_other_are_explained(index: Index, source: Path) -> None:
    index.add_wheel("cms", "1.0", "django<4")
    (problem,) = problems(source, manifest_of(source, "cms==1.0\nDjango==4.2.1\n"))
    assert problem.startswith("The packages contradict each other: Because all versions of cms depend on django<4")
    index.add_wheel("cms", "2.0", "django>=4")
    assert versions(source, manifest_of(source, "cms==1.0\nDjango==4.2.1\n", pins="stack"))["cms"] == "2.0"


def test_plain_python_without_any_wheel_is_built_from_its_source(index: Index, source: Path) -> None:
    index.add_wheel("cms", "1.0", "old-plugin")
    index.add_source("old-plugin", "0.3")
    manifest = manifest_of(source, "cms==1.0\n")
    assert versions(source, manifest)["old-plugin"] == "0.3"
    assert lock_packages(manifest, source, source.parent / "lock2.txt").decisions == (
        "old-plugin is built from its source, which is plain Python: it has no wheel",
    )


def test_machine_code_without_any_wheel_is_refused(index: Index, source: Path) -> None:
    index.add_source("fast-thing", "0.3", is_compiled=True)
    (source / "views.py").write_text("import fast_thing\n")
    (problem,) = problems(source, manifest_of(source, "fast-thing==0.3\n", pins="stack"))
    assert problem == (
        "requirements.txt:1: fast-thing has no wheel for Python 3.11 in any version, and the project imports it; "
        "replace it"
    )


def test_a_package_that_cannot_be_built_and_is_not_used_is_left_out(index: Index, source: Path) -> None:
    index.add_source("fast-thing", "0.3", is_compiled=True)
    assert "fast-thing" not in versions(source, manifest_of(source, "fast-thing==0.3\n", pins="stack"))


@pytest.mark.usefixtures("index")
def test_a_package_that_does_not_exist_is_named(source: Path) -> None:
    assert problems(source, manifest_of(source, "djagno-chat==1.0\n")) == [
        f"requirements.txt:1: djagno-chat==1.0 is not in the index; {ADVICE}"
    ]


@pytest.mark.usefixtures("index")
def test_a_package_from_an_address_is_refused(source: Path) -> None:
    (problem,) = problems(source, manifest_of(source, "git+https://git.example.org/you/chat.git#egg=chat\n"))
    assert problem.startswith("requirements.txt:1: chat comes from git+https://git.example.org/you/chat.git")


@pytest.mark.usefixtures("index")
def test_nothing_is_resolved_again_while_nothing_changed(source: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    manifest = manifest_of(source, "Django==4.2.1\n")
    found = versions(source, manifest)
    monkeypatch.setenv("PATH", "/nowhere")
    monkeypatch.setattr(resolver, "find_uv", lambda: "/nowhere/uv")
    assert versions(source, manifest) == found
    assert problems(source, manifest_of(source, "Django==5.2.3\n")) == ["uv is not installed: pip install uv"]


def test_the_default_django_is_that_of_the_chat() -> None:
    base = Path(__file__).parents[2] / "requirements" / "base.in"
    assert DJANGO.lower() in base.read_text().splitlines()


@pytest.mark.usefixtures("index")
def test_an_index_that_cannot_be_reached_is_not_taken_for_missing_packages(
    source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "uv.toml").write_text('[[index]]\nurl = "http://127.0.0.1:9/simple"\ndefault = true\n')
    monkeypatch.setenv("UV_HTTP_RETRIES", "0")
    with pytest.raises(ResolverNotUsable, match="the index of packages cannot be reached"):
        lock_packages(manifest_of(source, "Django==4.2.1\n"), source, tmp_path / "lock.txt")
