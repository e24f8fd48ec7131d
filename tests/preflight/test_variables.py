"""Every variable that cannot be used is named, all at once, with what it must be."""

from pathlib import Path
from typing import Any

import pytest

from deploy.preflight.variables import check_variables

RIGHT: dict[str, Any] = {
    "site_domain": "chat.example.org",
    "site_email": "you@example.org",
    "site_ws_instances": 2,
    "site_acme_directory": "https://authority.example.org/directory",
    "site_acme_ca": "",
    "site_version": "",
    "site_upgrade_time": "04:45",
    "site_database_url": "",
    "email_url": "",
    "site_trusted_proxies": "10.0.0.0/8, 2001:db8::7",
    "site_environment": ["ALLOW_GUESTS"],
    "site_secrets": ["EMAIL_URL"],
    "site_manifest": {},
    "reserved": ["ALLOWED_HOSTS", "EMAIL_URL"],
}


def test_right_variables_are_no_finding() -> None:
    assert check_variables(RIGHT) == []


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("site_domain", "nonsense"),
        ("site_domain", "https://chat.example.org"),
        ("site_domain", "chat.example.org\n"),
        ("site_email", ""),
        ("site_email", "you at example"),
        ("site_ws_instances", 0),
        ("site_ws_instances", 100),
        ("site_acme_directory", "http://authority.example.org"),
        ("site_acme_ca", "relative.pem"),
        ("site_version", "../evil"),
        ("site_upgrade_time", "25:00"),
        ("site_database_url", "mysql://"),
        ("email_url", "mail.example.org"),
        ("site_environment", None),
        ("site_environment", ["EMAIL_URL"]),
        ("site_secrets", None),
        ("site_secrets", ["SECRET_KEY"]),
        ("site_trusted_proxies", "10.0.0.0/8, loadbalancer"),
        ("site_trusted_proxies", ["10.0.0.1/8"]),
        ("site_manifest", {"name": "shop"}),
    ],
)
def test_a_wrong_variable_is_a_stop_that_cannot_be_accepted(name: str, value: Any) -> None:
    (found,) = check_variables({**RIGHT, name: value})
    assert found.severity == "stop"
    assert found.subject == name
    assert found.fix
    assert found.is_acceptable is (name == "email_url")


def test_all_wrong_variables_are_found_at_once() -> None:
    found = check_variables({**RIGHT, "site_domain": "", "site_email": "", "site_ws_instances": "many"})
    assert [finding.subject for finding in found] == ["site_domain", "site_email", "site_ws_instances"]


def test_a_project_needs_its_source_and_its_requirements(tmp_path: Path) -> None:
    requirements = tmp_path / "requirements.txt"
    requirements.touch()
    given = {"site_version": "v1", "site_source": str(tmp_path), "site_requirements": str(requirements)}
    assert check_variables({**RIGHT, "site_manifest": {"name": "shop"}, **given}) == []


def test_a_look_at_the_host_needs_no_source() -> None:
    assert check_variables({**RIGHT, "site_manifest": {"name": "shop"}, "only_looks": True}) == []
