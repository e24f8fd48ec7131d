"""Secrets come from variables, or from the files of a credentials folder, which projects see as variables."""

import pytest
from django.core.exceptions import ImproperlyConfigured

from channels_stack.credentials import export_credentials
from tests.site import tutorial


@pytest.fixture
def folder(tmp_path):
    made = tmp_path / "credentials"
    made.mkdir()
    return made


def test_a_file_becomes_a_variable_and_a_set_variable_wins(folder):
    for name in ("SECRET_KEY", "mysite_API_TOKEN", "OPENAI_KEY", "certificate.pem", "other_PASSWORD"):
        (folder / name).write_text(f"{name} in its file\n")
    environment = {"CREDENTIALS_DIRECTORY": str(folder), "OPENAI_KEY": "set"}
    assert sorted(export_credentials("mysite", environment)) == ["API_TOKEN", "SECRET_KEY"]
    assert environment["SECRET_KEY"] == "SECRET_KEY in its file"
    assert environment["API_TOKEN"] == "mysite_API_TOKEN in its file"
    assert environment["OPENAI_KEY"] == "set"
    assert len(environment) == 4


def test_without_a_folder_nothing_is_set():
    assert export_credentials("mysite", {}) == []


def test_a_file_that_cannot_be_read_is_named(folder):
    (folder / "SECRET_KEY").write_bytes(b"\xff\xfe")
    with pytest.raises(ImproperlyConfigured, match=f"The credential {folder}/SECRET_KEY cannot be read"):
        export_credentials("mysite", {"CREDENTIALS_DIRECTORY": str(folder)})
    with pytest.raises(ImproperlyConfigured, match="absent cannot be read: No such file"):
        export_credentials("mysite", {"CREDENTIALS_DIRECTORY": str(folder / "absent")})


def test_a_project_reads_its_secrets_from_credentials(make_project, folder):
    settings = tutorial.SETTINGS + '\nimport os\nAPI_TOKEN = os.environ["API_TOKEN"]\n'
    project = make_project(tutorial.with_files(mysite__settings=settings))
    database = project.environment.pop("DATABASE_URL")
    del project.environment["SECRET_KEY"]
    project.environment["CREDENTIALS_DIRECTORY"] = str(folder)
    for name, text in {"SECRET_KEY": "k" * 50, "mysite_DATABASE_URL": database, "API_TOKEN": "t-1"}.items():
        (folder / name).write_text(text)
    values = project.evaluate("[settings.SECRET_KEY, settings.API_TOKEN, str(settings.DATABASES['default']['NAME'])]")
    assert values == ["k" * 50, "t-1", database.removeprefix("sqlite:///")]
