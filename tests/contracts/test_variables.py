"""`.env.example` says what settings.py reads, and nothing else."""

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

from config.variables import VARIABLES

REPO = Path(__file__).parent.parent.parent
EXAMPLE = dict(re.findall(r"^(?:# )?([A-Z_]+)=(.*)$", (REPO / ".env.example").read_text(), re.MULTILINE))
LEFT_TO_THE_FOLDER = {"DATABASE_URL", "STATIC_ROOT", "EMAIL_URL", "DOCTOR_REPORT", "RELEASE"}  # settings.py knows


def test_every_variable_is_in_the_example_and_no_other():
    assert set(EXAMPLE) == set(VARIABLES)


def test_settings_read_every_variable():
    read = set(re.findall(r'read\("([A-Z_]+)"', (REPO / "app/config/settings.py").read_text()))
    assert read == set(VARIABLES)


@pytest.mark.parametrize("name", sorted(set(VARIABLES) - LEFT_TO_THE_FOLDER))
def test_the_example_shows_the_default(name):
    variable = VARIABLES[name]
    if EXAMPLE[name]:
        assert variable.read(EXAMPLE[name]) == variable.default
    else:
        assert not variable.default


WRONG = {
    "SECRET_KEY": "short",
    "DEBUG": "maybe",
    "ALLOWED_ORIGINS": "example.org",
    "GUESTS": "flase",
    "OIDC_SERVER_URL": "http://id.example.org",
    "DATABASE_URL": "bogus",
    "REDIS_URL": "localhost",
    "EMAIL_URL": "mail",
    "DEFAULT_FROM_EMAIL": "nobody",
    "SOCKET_RATE": "0",
    "SOCKET_BURST": "many",
    "COALESCE": "2",
    "GROUP_COMMIT": "perhaps",
    "API_RATE": "many",
    "SENTRY_DSN": "https://sentry.example.org/1",
    "SENTRY_ENVIRONMENT": "",
    "SENTRY_TRACES": "2",
    "LOG_FORMAT": "xml",
    "LOG_LEVEL": "LOUD",
}


@pytest.mark.parametrize("name", sorted(WRONG))
def test_a_wrong_value_stops_the_start_with_one_sentence_that_keeps_secrets(name):
    environment = {"PARLEY_ENV_FILE": "/dev/null", "SECRET_KEY": "x" * 50, name: WRONG[name], "PYTHONPATH": "app"}
    command = [sys.executable, "-c", "import config.settings"]
    done = subprocess.run(command, cwd=REPO, env=environment, capture_output=True, text=True, check=False)
    last = done.stderr.strip().splitlines()[-1]
    shown = "wrong" if name in ("SECRET_KEY", "DATABASE_URL", "EMAIL_URL") else repr(WRONG[name])
    assert done.returncode == 1
    assert last == f"django.core.exceptions.ImproperlyConfigured: {name} is {shown}: it must be {VARIABLES[name].what}."


def test_a_secret_has_no_default():
    environment = {"PARLEY_ENV_FILE": "/dev/null", "PYTHONPATH": "app"}
    command = [sys.executable, "-c", "import config.settings"]
    done = subprocess.run(command, cwd=REPO, env=environment, capture_output=True, text=True, check=False)
    assert "SECRET_KEY is not set" in done.stderr.strip().splitlines()[-1]


def settings_say(expression: str, environment: dict[str, str]) -> str:
    environment = {"PARLEY_ENV_FILE": "/dev/null", "PYTHONPATH": "app"} | environment
    command = [sys.executable, "-c", f"from config import settings; print({expression})"]
    done = subprocess.run(command, cwd=REPO, env=environment, capture_output=True, text=True, check=False)
    return (done.stdout or done.stderr).strip().splitlines()[-1]


def test_a_secret_may_be_a_file_named_like_it(tmp_path):
    (tmp_path / "SECRET_KEY").write_text("f" * 50 + "\n")
    assert settings_say("settings.SECRET_KEY", {"CREDENTIALS_DIRECTORY": str(tmp_path)}) == "f" * 50


def test_the_environment_wins_over_the_file(tmp_path):
    (tmp_path / "SECRET_KEY").write_text("f" * 50)
    environment = {"CREDENTIALS_DIRECTORY": str(tmp_path), "SECRET_KEY": "e" * 50}
    assert settings_say("settings.SECRET_KEY", environment) == "e" * 50


def test_a_file_that_cannot_be_read_is_told_from_one_that_is_not_there(tmp_path):
    (tmp_path / "SECRET_KEY").mkdir()
    said = settings_say("settings.SECRET_KEY", {"CREDENTIALS_DIRECTORY": str(tmp_path)})
    assert "SECRET_KEY cannot be read: " in said


@pytest.mark.parametrize(
    ("given", "missing"),
    [
        ({"GOOGLE_CLIENT_ID": "parley"}, "GOOGLE_CLIENT_SECRET"),
        ({"GITHUB_CLIENT_SECRET": "hush"}, "GITHUB_CLIENT_ID"),
        ({"OIDC_CLIENT_ID": "parley", "OIDC_CLIENT_SECRET": ""}, "OIDC_CLIENT_SECRET, OIDC_SERVER_URL"),
    ],
)
def test_sign_in_elsewhere_that_is_half_configured_stops_the_start(given, missing):
    said = settings_say("settings.SOCIALACCOUNT_PROVIDERS", {"SECRET_KEY": "x" * 50} | given)
    assert said.endswith(f" go together; not set: {missing}.")
    assert "hush" not in said


def test_sign_in_elsewhere_needs_ids_in_the_environment_and_secrets_in_files(tmp_path):
    for name in ("GOOGLE_CLIENT_SECRET", "OIDC_CLIENT_SECRET"):
        (tmp_path / name).write_text("hush\n")
    (tmp_path / "GITHUB_CLIENT_SECRET").touch()  # as hosts have it that do not offer GitHub
    found = settings_say(
        "[settings.SOCIALACCOUNT_PROVIDERS, settings.INSTALLED_APPS[-2:]]",
        {
            "SECRET_KEY": "x" * 50,
            "GOOGLE_CLIENT_ID": "parley",
            "OIDC_CLIENT_ID": "parley",
            "OIDC_SERVER_URL": "https://id.example.org/",
            "CREDENTIALS_DIRECTORY": str(tmp_path),
        },
    )
    providers, apps = ast.literal_eval(found)
    assert set(providers) == {"google", "openid_connect"}
    assert providers["openid_connect"]["APPS"][0]["settings"]["server_url"] == "https://id.example.org"
    assert providers["google"]["APPS"][0]["secret"] == "hush"
    assert [name.rpartition(".")[2] for name in apps] == ["google", "openid_connect"]
