"""The command lines of the playbooks, and the variables that they get."""

from pathlib import Path

import pytest

from deploy import host_variables, playbooks
from deploy.local.project import ProjectFailed
from tests.host.sites import FULL, REPO


@pytest.fixture(autouse=True)
def ansible(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(playbooks, "find_program", lambda: "ansible-playbook")


@pytest.mark.parametrize(
    ("host", "connection"),
    [
        ("you@203.0.113.7", ["-i", "203.0.113.7,", "-u", "you"]),
        ("chat.example.org", ["-i", "chat.example.org,"]),
        (str(REPO / "ansible/inventory/example.yml"), ["-i", str(REPO / "ansible/inventory/example.yml")]),
    ],
)
def test_a_host_is_an_address_or_an_inventory(host: str, connection: list[str]) -> None:
    assert playbooks.build_command("site", host=host) == [
        "ansible-playbook",
        *connection,
        f"{REPO}/ansible/site.yml",
    ]


def test_the_variables_of_the_project_and_the_options_are_passed_on() -> None:
    command = playbooks.build_command(
        "remove", host="h", variables=Path("/v.json"), options=("-e", "site_confirm=shop")
    )
    assert command[3:] == ["-e", "@/v.json", "-e", "site_confirm=shop", f"{REPO}/ansible/remove.yml"]


@pytest.mark.parametrize("playbook", ["site", "deploy", "rollback", "backup", "restore", "remove"])
def test_every_playbook_exists(playbook: str) -> None:
    assert Path(playbooks.build_command(playbook, host="h")[-1]).is_file()


def test_a_secret_that_the_operator_has_not_set_stops_the_deployment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("STRIPE_KEY", raising=False)
    with pytest.raises(ProjectFailed, match="in the environment: STRIPE_KEY"):
        host_variables.write_variables(FULL, tmp_path / "vars.json", email="you@example.org", version="v1")
    assert list(tmp_path.iterdir()) == []
