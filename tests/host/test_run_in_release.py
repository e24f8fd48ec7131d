"""deploy/run-in-release starts each program in the folder and with the variables of its own release."""

import os
import subprocess
from pathlib import Path

import pytest

from tests.host.sites import REPO

SHOW = 'echo "$PWD|$DJANGO_SETTINGS_MODULE|${SITE_FILE-}|${PYTHONPATH-}|${STRIPE_KEY-}|$(command -v tool)"'


@pytest.fixture
def release(tmp_path: Path) -> Path:
    """A release of the chat's layout, whose interpreter prints where it was started."""
    release = tmp_path / "opt" / "shop" / "releases" / "v1"
    for folder in ("deploy", ".venv/bin", "app"):
        (release / folder).mkdir(parents=True)
    (release / "deploy/run-in-release").write_bytes((REPO / "deploy/run-in-release").read_bytes())
    python = f'#!/bin/sh\n{SHOW}\necho "$LISTEN_PID $WATCHDOG_PID $$"\necho "$STARTED_BY"\necho "$@"\n'
    for name, text in {
        "deploy/run-in-release": None,
        ".venv/bin/python": python,
        ".venv/bin/tool": "#!/bin/sh\n",
    }.items():
        if text:
            (release / name).write_text(text)
        (release / name).chmod(0o755)
    return release


@pytest.fixture
def project(release: Path) -> Path:
    """A release of a project whose manage.py is in the folder `server`."""
    (release / "project/server").mkdir(parents=True)
    (release / "project/relay server").mkdir()
    (release / "root").symlink_to("project/server")
    (release / "site.json").write_text("{}")
    return release


def run(release: Path, *arguments: str, **env: str) -> list[str]:
    current = release.parent.parent / "current"
    if not current.exists():
        current.symlink_to("releases/v1")
    script = current / "deploy/run-in-release"
    done = subprocess.run(
        [script, *arguments], env={"PATH": "/usr/bin:/bin"} | env, capture_output=True, text=True, check=True
    )
    return done.stdout.splitlines()


def test_a_server_of_the_chat_runs_in_its_release_and_not_through_the_link(release: Path) -> None:
    shown, pids, started_by, arguments = run(release, "realtime.server", "--systemd", "ws")
    assert shown == f"{release}/app|config.settings||||{release}/.venv/bin/tool"
    assert len(set(pids.split())) == 1
    assert started_by == f"{release.parent.parent}/current/deploy/run-in-release"  # a successor is of the next release
    assert arguments == "-m channels_realtime.server --systemd ws"


def test_a_server_of_a_project_gets_the_overlay_and_imports_the_project_first(project: Path) -> None:
    shown, *_, arguments = run(project, "gunicorn", "channels_stack.wsgi:application")
    root = f"{project}/project/server"
    assert shown == (
        f"{root}|channels_stack.settings|{project}/site.json|{root}:{project}/stack||{project}/.venv/bin/tool"
    )
    assert arguments == "-m gunicorn channels_stack.wsgi:application"


@pytest.mark.parametrize(("folder", "at"), [(".", "server"), ("relay server", "relay server")])
def test_a_program_of_the_project_runs_in_its_folder_with_its_secrets(
    project: Path, tmp_path: Path, folder: str, at: str
) -> None:
    (tmp_path / "STRIPE_KEY").write_text("it's a secret\n")
    (shown,) = run(project, "--command", folder, "sh", "-c", SHOW, CREDENTIALS_DIRECTORY=str(tmp_path))
    where, *_, secret, tool = shown.split("|")
    assert (where, secret, tool) == (f"{project}/project/{at}", "it's a secret", f"{project}/.venv/bin/tool")


def test_the_scripts_learn_the_site_from_the_path_of_their_release(release: Path, tmp_path: Path) -> None:
    (release / "deploy/manage").write_bytes((REPO / "deploy/manage").read_bytes())
    stand_in = tmp_path / "bin/systemd-run"
    stand_in.parent.mkdir()
    stand_in.write_text('#!/bin/sh\necho "$@"\n')
    for file in (stand_in, release / "deploy/manage"):
        file.chmod(0o755)
    env = {"PATH": f"{stand_in.parent}:{os.environ['PATH']}"}
    done = subprocess.run(
        [release / "deploy/manage", "check"],
        env=env,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=True,
    )
    assert " --unit=shop-manage-" in done.stdout
    assert done.stdout.endswith(f"{release}/deploy/run-in-release django check\n")
