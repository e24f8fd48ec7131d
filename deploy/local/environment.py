"""The environment of every process of a local run: the caller's own, then `.env`, then defaults for this machine."""

import os
import secrets

import environ

from deploy.local.layout import REPO, Layout
from deploy.site_name import CHAT


def build_environment(layout: Layout) -> dict[str, str]:
    """Return the environment of the child processes. It has no SECRET_KEY when this is the first run."""
    environ.Env.read_env(layout.env_file)  # as the settings do: a variable that is set already wins
    defaults = {
        "DATABASE_URL": f"sqlite:///{layout.var}/{CHAT}.sqlite3",
        "REDIS_URL": layout.redis_url,
        "STATIC_ROOT": f"{layout.var}/static",
        "DOCTOR_REPORT": f"{layout.var}/doctor.json",
        # The site is reached as localhost, by address, or by the name that a phone or a tunnel uses.
        "ALLOWED_HOSTS": "*",
    }
    fixed = {
        "STACK_ENV_FILE": str(layout.env_file),
        "DJANGO_SETTINGS_MODULE": "config.settings",
        "PYTHONPATH": str(REPO / "app"),
        "PYTHONUNBUFFERED": "1",  # the terminal shows a line when it is written
        "PYTHONDONTWRITEBYTECODE": "",  # five processes import the same packages: the first one compiles for all
    }
    return defaults | dict(os.environ) | fixed


def write_secret_key(layout: Layout, env: dict[str, str]) -> dict[str, str]:
    """Write `.env` with a random SECRET_KEY on the first run. Return what this adds to the environment."""
    if "SECRET_KEY" in env or layout.env_file.exists():
        return {}
    key = secrets.token_urlsafe(50)
    layout.env_file.parent.mkdir(parents=True, exist_ok=True)
    # The file is created with this mode: after a later chmod, others could have read it for a moment.
    with open(os.open(layout.env_file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(f"# Written by the first `make run`. .env.example describes all variables.\nSECRET_KEY={key}\n")
    return {"SECRET_KEY": key}
