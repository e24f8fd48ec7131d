"""The environment of every process of a local run: the caller's, then `.env`, then what suits this machine."""

import os
import secrets

import environ

from deploy.local.layout import REPO, Layout


def for_children(layout: Layout) -> dict[str, str]:
    """Return the environment; it lacks SECRET_KEY when this is the first run."""
    environ.Env.read_env(layout.env_file)  # as the settings do: what is set already wins
    here = {
        "DATABASE_URL": f"sqlite:///{layout.var}/parley.sqlite3",
        "REDIS_URL": layout.redis_url,
        "STATIC_ROOT": f"{layout.var}/static",
        "DOCTOR_REPORT": f"{layout.var}/doctor.json",
        # Reached as localhost, by address, by whatever name a phone or a tunnel uses.
        "ALLOWED_HOSTS": "*",
    }
    always = {
        "PARLEY_ENV_FILE": str(layout.env_file),
        "DJANGO_SETTINGS_MODULE": "config.settings",
        "PYTHONPATH": str(REPO / "app"),
        "PYTHONUNBUFFERED": "1",  # a line in the terminal when it is written, not when a buffer is full
        "PYTHONDONTWRITEBYTECODE": "",  # five processes import the same packages: let one compile for all
    }
    return here | dict(os.environ) | always


def write_missing(layout: Layout, env: dict[str, str]) -> dict[str, str]:
    """Write `.env` with a random key on the first run; return what that adds to the environment."""
    if "SECRET_KEY" in env or layout.env_file.exists():
        return {}
    key = secrets.token_urlsafe(50)
    layout.env_file.parent.mkdir(parents=True, exist_ok=True)
    # Created closed to others; chmod afterwards would leave a moment in which anybody can read it.
    with open(os.open(layout.env_file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(
            f"# Written by the first `make run`. .env.example lists everything that may stand here.\nSECRET_KEY={key}\n"
        )
    return {"SECRET_KEY": key}
