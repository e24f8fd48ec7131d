"""cloud-init.yaml installs a host at its first boot, with variables that the playbook knows."""

import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

REPO = Path(__file__).parent.parent.parent
TEXT = (REPO / "deploy/cloud-init.yaml").read_text()
CONFIG: dict[str, Any] = yaml.safe_load(TEXT)
FILES = {file["path"]: file["content"] for file in CONFIG["write_files"]}
SCRIPT = FILES["/usr/local/sbin/stack-site"]


def test_cloud_init_has_the_first_line_and_the_size_that_clouds_accept():
    assert TEXT.startswith("#cloud-config\n")
    assert len(TEXT) < 16 * 1024  # the smallest limit of a large cloud


def test_it_runs_the_script_that_it_writes():
    assert CONFIG["runcmd"] == [["/usr/local/sbin/stack-site"]]


def test_the_script_has_no_syntax_error(tmp_path: Path):
    assert shutil.which("sh")
    (tmp_path / "stack-site").write_text(SCRIPT)
    subprocess.run(["sh", "-n", tmp_path / "stack-site"], check=True)


def test_the_settings_file_has_the_names_that_the_script_reads():
    named = set(re.findall(r"^(SITE_\w+)=", FILES["/etc/stack-site"], re.MULTILINE))
    assert named == set(re.findall(r"\$(SITE_\w+)", SCRIPT))


def test_the_playbook_exists_and_knows_the_variables():
    playbook = REPO / "ansible/site.yml"
    assert playbook.is_file()
    known = yaml.safe_load((REPO / "ansible/roles/site/defaults/main.yml").read_text())
    given = set(re.findall(r"\b(site_\w+)=", TEXT))
    assert {"site_domain", "site_email"} <= given <= set(known)


@pytest.mark.parametrize("command", ["new_epoch"])
def test_the_commands_in_the_page_about_azure_exist(command: str):
    assert f"manage.py {command}" in (REPO / "deploy/azure.md").read_text()
    assert list((REPO / "app").glob(f"*/management/commands/{command}.py"))


def test_the_files_and_variables_in_the_page_about_azure_exist():
    page = (REPO / "deploy/azure.md").read_text()
    for name in re.findall(r"deploy/[\w.-]+", page):
        assert (REPO / name).is_file(), name
    example = (REPO / ".env.example").read_text()
    for name in re.findall(r"\b(SECRET_KEY|ALLOWED_HOSTS|DATABASE_URL|REDIS_URL)=", page):
        assert f"{name}=" in example
