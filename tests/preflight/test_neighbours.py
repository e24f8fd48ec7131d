"""Other programs of the host: which they are, and which of them a site cannot live beside."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from deploy.preflight.host.neighbours import (
    check_docker,
    check_firewall,
    check_nginx,
    check_postgres,
    check_redis,
    find_firewall,
)
from deploy.preflight.plan import Plan
from tests.preflight.conftest import write


def answers(**texts: str) -> Callable[..., str]:
    """Return what runs a program and prints its text: `systemctl_redis` is that of a command with both words."""

    def run(*command: str, **_: object) -> str:
        words = " ".join(command)
        return next((text for key, text in texts.items() if all(word in words for word in key.split("_"))), "")

    return run


NOTHING = answers()


def test_other_sites_of_nginx_are_a_note(plan: Plan, root: Path) -> None:
    write(root / "etc/nginx/sites-enabled/blog", "server {\n  server_name blog.example.org www.example.org;\n}\n")
    write(root / "etc/nginx/sites-enabled/default", "server {\n  server_name _;\n}\n")
    (found,) = check_nginx(plan, root)
    assert found.severity == "note"
    assert "blog.example.org, www.example.org (/etc/nginx/sites-enabled/blog)" in found.sentence


def test_another_site_with_the_same_name_is_a_stop(plan: Plan, root: Path) -> None:
    write(root / "etc/nginx/conf.d/old.conf", f"server {{\n  server_name {plan.domain};\n}}\n")
    (found,) = check_nginx(plan, root)
    assert found.severity == "stop"
    assert "/etc/nginx/conf.d/old.conf" in found.sentence


def test_the_sites_own_file_is_no_finding(plan: Plan, root: Path) -> None:
    write(root / "etc/nginx/sites/shop.conf", f"server {{\n  server_name {plan.domain};\n}}\n")
    (root / "etc/nginx/sites-enabled").mkdir()
    (root / "etc/nginx/sites-enabled/shop").symlink_to(root / "etc/nginx/sites/shop.conf")
    assert list(check_nginx(plan, root)) == []


def test_a_redis_of_others_is_a_note(plan: Plan, root: Path) -> None:
    run = answers(systemctl_redis="active", **{"redis-server_--version": "Redis server v=7.0.15 sha=0"})
    (found,) = check_redis(plan, run, root)
    assert "Redis 7.0.15" in found.sentence
    assert list(check_redis(plan, NOTHING, root)) == []


def test_an_old_postgresql_is_a_stop(plan: Plan, root: Path) -> None:
    (root / "etc/postgresql/13/main").mkdir(parents=True)
    (found,) = check_postgres(plan, NOTHING, root)
    assert "PostgreSQL 13" in found.sentence
    assert list(check_postgres(replace(plan, uses_postgres=False), NOTHING, root)) == []
    (root / "etc/postgresql/15/main").mkdir(parents=True)
    assert list(check_postgres(plan, NOTHING, root)) == []


def test_a_database_with_the_sites_name_is_a_stop_before_the_first_deployment(plan: Plan, root: Path) -> None:
    (root / "etc/postgresql/15/main").mkdir(parents=True)
    run = answers(psql_count="0", psql="postgres\nshop\n")
    assert list(check_postgres(plan, run, root)) == []  # of an interrupted deployment
    run = answers(psql_count="3", psql="postgres\nshop\n")
    (found,) = check_postgres(plan, run, root)
    assert found.subject == "database"
    (root / "opt/shop/releases").mkdir(parents=True)
    assert list(check_postgres(plan, run, root)) == []


def test_databases_of_others_are_a_note(plan: Plan, root: Path) -> None:
    (root / "etc/postgresql/15/main").mkdir(parents=True)
    (found,) = check_postgres(plan, answers(psql="postgres\nwiki\nblog\n"), root)
    assert found.severity == "note"
    assert "blog, wiki" in found.sentence


NFT = "table inet site_rules\ntable inet parley\ntable ip filter\ntable inet f2b-table\n"


@pytest.mark.parametrize(
    ("run", "firewall"),
    [
        (NOTHING, ""),
        (answers(systemctl_firewalld="active"), "firewalld"),
        (answers(nft_list_tables=NFT), "nftables"),
        (answers(nft_list_tables="table inet parley\ntable ip nat\n"), ""),
        (answers(**{"iptables-save": "*filter\n:INPUT DROP [0:0]\n"}), "iptables"),
        (
            answers(**{"iptables-save": "*filter\n:INPUT ACCEPT [0:0]\n-A INPUT -p tcp --dport 80 -j DROP\n"}),
            "iptables",
        ),
        (answers(**{"iptables-save": "*filter\n:INPUT ACCEPT [0:0]\n:FORWARD DROP [0:0]\n-A FORWARD -j DOCKER\n"}), ""),
        (answers(**{"iptables-save": "*filter\n:INPUT ACCEPT [0:0]\n-A INPUT -p tcp -j f2b-sshd\n"}), ""),
    ],
)
def test_the_active_firewall_is_found(run: Callable[..., str], firewall: str, plan: Plan, root: Path) -> None:
    assert find_firewall(run, root) == firewall
    assert len(list(check_firewall(plan, run, root))) == bool(firewall)


def test_ufw_is_active_by_its_own_file(plan: Plan, root: Path) -> None:
    write(root / "etc/ufw/ufw.conf", "ENABLED=no\n")
    assert find_firewall(NOTHING, root) == ""
    write(root / "etc/ufw/ufw.conf", "# /etc/ufw/ufw.conf\nENABLED=yes\n")
    (found,) = check_firewall(plan, NOTHING, root)
    assert found.sentence.startswith("ufw is active")


def test_only_tables_of_the_host_itself_are_named(plan: Plan, root: Path) -> None:
    (found,) = check_firewall(plan, answers(nft_list_tables=NFT), root)
    assert "(inet site_rules)" in found.sentence


def test_fail2ban_and_docker_are_notes(plan: Plan, root: Path) -> None:
    (found,) = check_firewall(plan, answers(systemctl_fail2ban="active"), root)
    assert found.subject == "fail2ban"
    (found,) = check_docker(answers(systemctl_docker="active"))
    assert found.severity == "note"
    assert list(check_docker(NOTHING)) == []
