"""Each kind of file that names packages is understood, with the line of each package."""

from pathlib import Path

import pytest

from deploy.project.requirement_lines import read_requirements


def read(tmp_path: Path, name: str, text: str | bytes) -> list[tuple[str, int]]:
    path = tmp_path / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return [(requirement.text, requirement.line) for requirement in read_requirements(path)]


def test_requirements_txt(tmp_path: Path) -> None:
    text = """\
# a comment
Django == 4.2.1  # the framework
channels[daphne]>=4,<5 ; python_version > "3.8"
-e .
--index-url https://index.example.org/simple
django_cors.headers
zipp==3.1.0 \\
    --hash=sha256:00 \\
    --hash=sha256:01
pkg-resources==0.0.0
celery (>=5.0)
"""
    assert read(tmp_path, "requirements.txt", text) == [
        ("django==4.2.1", 2),
        ('channels[daphne]>=4,<5; python_version > "3.8"', 3),
        ("django-cors-headers", 6),
        ("zipp==3.1.0", 7),
        ("celery>=5.0", 11),
    ]


def test_a_file_that_powershell_wrote(tmp_path: Path) -> None:
    assert read(tmp_path, "requirements.txt", "Django==4.2\r\nredis\r\n".encode("utf-16")) == [
        ("django==4.2", 1),
        ("redis", 2),
    ]


def test_included_files_keep_their_own_lines(tmp_path: Path) -> None:
    (tmp_path / "base.txt").write_text("\nDjango\n-r main.txt\n")
    (tmp_path / "main.txt").write_text("-r base.txt\nredis\n")
    found = read_requirements(tmp_path / "main.txt")
    assert [(requirement.name, requirement.path.name, requirement.line) for requirement in found] == [
        ("django", "base.txt", 2),
        ("redis", "main.txt", 2),
    ]


def test_addresses_are_recognised(tmp_path: Path) -> None:
    (tmp_path / "requirements.txt").write_text(
        "git+https://git.example.org/you/chat.git#egg=my-chat\nother @ https://example.org/other.whl\n./local\n"
    )
    found = read_requirements(tmp_path / "requirements.txt")
    assert [(requirement.name, bool(requirement.address)) for requirement in found] == [
        ("my-chat", True),
        ("other", True),
        ("local", True),
    ]


def test_pipfile(tmp_path: Path) -> None:
    text = """\
[packages]
django = "~=4.2"
redis = "*"
celery = {extras = ["redis"], version = ">=5"}
mine = {git = "https://git.example.org/mine.git"}

[dev-packages]
pytest = "*"
"""
    assert read(tmp_path, "Pipfile", text) == [("django~=4.2", 2), ("redis", 3), ("celery[redis]>=5", 4), ("mine", 5)]


def test_pipfile_lock(tmp_path: Path) -> None:
    text = '{"default": {\n  "django": {"version": "==4.2.1"}},\n "develop": {"pytest": {"version": "==8.0"}}}'
    assert read(tmp_path, "Pipfile.lock", text) == [("django==4.2.1", 2)]


PYPROJECT = """\
[project]
dependencies = [
    "Django>=4.2",
    "channels[daphne]",
]
[project.optional-dependencies]
test = ["pytest"]
"""
POETRY = """\
[tool.poetry.dependencies]
python = "^3.11"
django = "^4.2.1"
channels = "~4.0"
redis = "5.0.1"
emoji = { version = "^0.3", optional = true }
"""


def test_pyproject(tmp_path: Path) -> None:
    assert read(tmp_path, "pyproject.toml", PYPROJECT) == [("django>=4.2", 3), ("channels[daphne]", 4)]


def test_poetry(tmp_path: Path) -> None:
    assert read(tmp_path, "pyproject.toml", POETRY) == [
        ("django>=4.2.1,<5", 3),
        ("channels>=4.0,<4.1", 4),
        ("redis==5.0.1", 5),
    ]


@pytest.mark.parametrize(("name", "project"), [("uv.lock", PYPROJECT), ("poetry.lock", POETRY)])
def test_a_lock_file_gives_the_versions_of_what_the_project_names(name: str, project: str, tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text(project)
    text = '[[package]]\nname = "django"\nversion = "4.2.7"\n\n[[package]]\nname = "sqlparse"\nversion = "0.5"\n'
    found = read(tmp_path, name, text)
    assert found[0] == ("django==4.2.7", 2)
    assert "sqlparse==0.5" not in dict(found)


def test_setup_py(tmp_path: Path) -> None:
    text = "from setuptools import setup\nNEEDS = [\n    'Django>=4',\n    'redis',\n]\nsetup(install_requires=NEEDS)\n"
    assert read(tmp_path, "setup.py", text) == [("django>=4", 3), ("redis", 4)]


def test_setup_cfg(tmp_path: Path) -> None:
    text = "[options]\ninstall_requires =\n    Django>=4\n    redis\n"
    assert read(tmp_path, "setup.cfg", text) == [("django>=4", 3), ("redis", 4)]


@pytest.mark.parametrize("name", ["Pipfile", "pyproject.toml", "Pipfile.lock", "setup.py", "setup.cfg"])
def test_a_file_that_is_not_in_its_format_says_so(name: str, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=name):
        read(tmp_path, name, "= = (")
