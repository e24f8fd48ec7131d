"""`.env.example` names the variables that the settings read, and nothing else."""

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

from config.variables import VARIABLES
from deploy import render
from tests.host.sites import chat

REPO = Path(__file__).parent.parent.parent
EXAMPLE = dict(re.findall(r"^(?:# )?([A-Z_]+)=(.*)$", (REPO / ".env.example").read_text(), re.MULTILINE))
# Their defaults are paths in the repository, so the example shows other values.
WITHOUT_A_FIXED_DEFAULT = {"DATABASE_URL", "STATIC_ROOT", "DOCTOR_REPORT", "RELEASE"}
OLD_NAMES = {variable.old_name: name for name, variable in VARIABLES.items() if variable.old_name}


def test_every_variable_is_in_the_example_and_no_other():
    assert set(EXAMPLE) == set(VARIABLES)


@pytest.mark.parametrize("name", sorted(set(VARIABLES) - WITHOUT_A_FIXED_DEFAULT))
def test_the_example_shows_the_default(name):
    assert EXAMPLE[name] == (VARIABLES[name].default or "")


@pytest.mark.parametrize("name", sorted(VARIABLES))
def test_every_default_is_a_value_that_the_variable_may_have(name):
    variable = VARIABLES[name]
    if variable.default is not None:
        assert variable.kind.is_valid(variable.kind.parse(variable.default))


WRONG = {
    "SECRET_KEY": "short",
    "DEBUG": "maybe",
    "ALLOWED_ORIGINS": "example.org",
    "DEFAULT_ROOM": "No room",
    "ALLOW_GUESTS": "flase",
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


def print_settings(expression: str, environment: dict[str, str]) -> subprocess.CompletedProcess[str]:
    """Run a new process that prints an expression of the settings; `environment` is all that it has."""
    return subprocess.run(
        [sys.executable, "-c", f"from config import settings; print({expression})"],
        cwd=REPO,
        env={"STACK_ENV_FILE": "/dev/null", "PYTHONPATH": "app"} | environment,
        capture_output=True,
        text=True,
        check=False,
    )


def value_of(expression: str, environment: dict[str, str]) -> str:
    done = print_settings(expression, environment)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def error_of(environment: dict[str, str]) -> str:
    """The last line with which a start under this environment ends."""
    done = print_settings("0", environment)
    assert done.returncode == 1
    return done.stderr.strip().splitlines()[-1]


@pytest.mark.parametrize("name", sorted(WRONG))
def test_a_wrong_value_stops_the_start_with_one_sentence_that_keeps_secrets(name):
    shown = "wrong" if name in ("SECRET_KEY", "DATABASE_URL", "EMAIL_URL") else repr(WRONG[name])
    description = VARIABLES[name].kind.description
    assert error_of({"SECRET_KEY": "x" * 50, name: WRONG[name]}) == (
        f"django.core.exceptions.ImproperlyConfigured: {name} is {shown}: it must be {description}."
    )


def test_what_hosts_keep_in_files_is_declared_as_secret():
    secrets = {name for name, variable in VARIABLES.items() if variable.is_secret}
    sandbox = render.render_host(chat())["/etc/systemd/system/parley-.service.d/10-sandbox.conf"]
    named = set(re.findall(r"^LoadCredential=([A-Z_]+):", sandbox, re.MULTILINE))
    assert named == secrets & named != set()


def test_a_secret_has_no_default():
    assert "SECRET_KEY is not set" in error_of({})


def test_a_secret_may_be_a_file_named_like_it(tmp_path):
    (tmp_path / "SECRET_KEY").write_text("f" * 50 + "\n")
    assert value_of("settings.SECRET_KEY", {"CREDENTIALS_DIRECTORY": str(tmp_path)}) == "f" * 50


def test_a_secret_may_be_one_of_a_folder_that_systemd_loads_as_a_whole(tmp_path):
    (tmp_path / "parley_SECRET_KEY").write_text("f" * 50 + "\n")
    assert value_of("settings.SECRET_KEY", {"CREDENTIALS_DIRECTORY": str(tmp_path)}) == "f" * 50


def test_the_environment_wins_over_the_file(tmp_path):
    (tmp_path / "SECRET_KEY").write_text("f" * 50)
    environment = {"CREDENTIALS_DIRECTORY": str(tmp_path), "SECRET_KEY": "e" * 50}
    assert value_of("settings.SECRET_KEY", environment) == "e" * 50


def test_a_file_that_cannot_be_read_is_told_from_one_that_is_not_there(tmp_path):
    (tmp_path / "SECRET_KEY").mkdir()
    assert "SECRET_KEY cannot be read: " in error_of({"CREDENTIALS_DIRECTORY": str(tmp_path)})


@pytest.mark.parametrize(
    ("old", "new", "text", "value"),
    [("FRONT_ROOM", "DEFAULT_ROOM", "harbour", "harbour"), ("GUESTS", "ALLOW_GUESTS", "no", "False")],
)
def test_an_old_name_still_works_and_a_warning_says_the_new_one(old, new, text, value):
    environment = {"SECRET_KEY": "x" * 50, old: text}
    assert value_of(f"settings.{new}", environment) == value
    (warning,) = ast.literal_eval(value_of("settings.DEPRECATION_WARNINGS", environment))
    assert warning == f"{old} is now called {new}; the next release ignores {old}."
    assert OLD_NAMES[old] == new


def test_the_warning_about_an_old_name_is_in_the_log_of_every_start():
    environment = {"SECRET_KEY": "x" * 50, "GUESTS": "no", "DJANGO_SETTINGS_MODULE": "config.settings"}
    done = print_settings("__import__('django').setup()", environment)
    assert "WARNING ops.apps: GUESTS is now called ALLOW_GUESTS; the next release ignores GUESTS." in done.stderr


def test_the_new_name_wins_over_the_old_one_without_a_warning():
    """So that a site can set both, and go back to the release before."""
    environment = {"SECRET_KEY": "x" * 50, "GUESTS": "yes", "ALLOW_GUESTS": "no"}
    assert value_of("settings.ALLOW_GUESTS, settings.DEPRECATION_WARNINGS", environment) == "False []"


def test_a_wrong_value_under_an_old_name_is_reported_under_that_name():
    assert "GUESTS is 'flase': it must be true or false." in error_of({"SECRET_KEY": "x" * 50, "GUESTS": "flase"})


@pytest.mark.parametrize(
    ("given", "missing"),
    [
        ({"GOOGLE_CLIENT_ID": "parley"}, "GOOGLE_CLIENT_SECRET"),
        ({"GITHUB_CLIENT_SECRET": "hush"}, "GITHUB_CLIENT_ID"),
        ({"OIDC_CLIENT_ID": "parley", "OIDC_CLIENT_SECRET": ""}, "OIDC_CLIENT_SECRET, OIDC_SERVER_URL"),
    ],
)
def test_a_sign_in_provider_that_is_half_configured_stops_the_start(given, missing):
    sentence = error_of({"SECRET_KEY": "x" * 50} | given)
    assert sentence.endswith(f" go together; not set: {missing}.")
    assert "hush" not in sentence


def test_sign_in_providers_have_ids_in_the_environment_and_secrets_in_files(tmp_path):
    for name in ("GOOGLE_CLIENT_SECRET", "OIDC_CLIENT_SECRET"):
        (tmp_path / name).write_text("hush\n")
    (tmp_path / "GITHUB_CLIENT_SECRET").touch()  # as hosts have it that do not offer GitHub
    found = value_of(
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
