"""Runs a playbook of ansible/ for a site: `run_playbook`."""

import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

PLAYBOOKS = Path(__file__).resolve().parent.parent / "ansible"


class NoAnsible(Exception):
    """ansible-playbook is not installed. The text is a sentence."""


def find_program() -> str:
    """Return the path of ansible-playbook: beside this interpreter, else on the PATH. Raises NoAnsible."""
    beside = Path(sys.executable).with_name("ansible-playbook")
    found = str(beside) if beside.exists() else shutil.which("ansible-playbook")
    if not found:
        raise NoAnsible(
            "ansible-playbook is not installed: pip install ansible-core, or make deploy, which installs it"
        )
    return found


def build_command(playbook: str, *, host: str, variables: Path | None = None, options: Sequence[str] = ()) -> list[str]:
    """Return the command that runs a playbook.

    Args:
        playbook: site, deploy, rollback, backup, restore, rotate or remove.
        host: USER@ADDRESS, ADDRESS, or the path of an inventory.
        variables: what `host_variables.write_variables` wrote; None: the chat.
        options: more options of ansible-playbook, such as ("-e", "site_backup=NAME").

    Raises:
        NoAnsible: it is not installed.
    """
    command = [find_program()]
    if Path(host).is_file():
        command += ["-i", host]
    else:
        user, _, address = host.rpartition("@")
        command += ["-i", f"{address},", *(["-u", user] if user else [])]
    if variables:
        command += ["-e", f"@{variables}"]
    return [*command, *options, str(PLAYBOOKS / f"{playbook}.yml")]


def run_playbook(playbook: str, *, host: str, variables: Path | None = None, options: Sequence[str] = ()) -> int:
    """Run a playbook on the operator's terminal and return its exit code. Takes what `build_command` takes.

    Raises:
        NoAnsible: it is not installed.
    """
    command = build_command(playbook, host=host, variables=variables, options=options)
    environment = {**os.environ, "ANSIBLE_CONFIG": str(PLAYBOOKS / "ansible.cfg")}
    return subprocess.run(command, env=environment, check=False).returncode
