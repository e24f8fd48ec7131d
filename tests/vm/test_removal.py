"""A removed project leaves the host as it was before, and the other sites as they were."""

from pathlib import Path

import pytest

from tests.guests.guests import GUESTS
from tests.vm.machine import Machine, Played
from tests.vm.project import Project, copy_project
from tests.vm.units import connect_from_sandbox, running_services, shares_network

NAME = "temporary"
# Every kind of unit, and a network.
MANIFEST = f"""
name = "{NAME}"
home = "/chat/"
network = true

[processes.listener]
run = "sleep infinity"

[timers.check]
run = "python manage.py check"
calendar = "hourly"
"""
# What changes by itself: packages, what systemd and apt keep, and the timers of other sites.
NOT_LISTED = [
    "/opt/*/releases",
    *(f"/var/lib/{name}" for name in ("apt", "dpkg", "postgresql", "systemd")),
    *(f"/run/{name}" for name in ("systemd", "udev", "credentials", "user", "log", "sudo", "lock")),
    "/etc/letsencrypt/accounts",
]


def list_host(vm: Machine) -> set[str]:
    """Return the files, units, users and databases of the host, without what the other sites' timers write."""
    others = [name for name in vm.run("ls /opt").split() if name != NAME]
    pruned = [
        *NOT_LISTED,
        *(f"/var/lib/{name}-doctor" for name in others),
        *(f"/var/backups/{name}" for name in others),
    ]
    return set(
        vm.run(f"""
find /etc /opt /usr/local /var/lib /var/backups /var/log/nginx /var/www /run -xdev \\
    \\( -path '{"' -o -path '".join(pruned)}' \\) -prune -o -printf '%p %y %u:%g %m\\n' \\
    | grep -v '[.]sock s\\|/ansible\\|session' | sort
systemctl list-unit-files --no-legend --no-pager | grep -v transient | sort
getent passwd; getent group
cd / && runuser -u postgres -- psql -Atc 'SELECT rolname FROM pg_roles UNION SELECT datname FROM pg_database'
nft list ruleset
""").splitlines()
    )


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """A copy of the tutorial under another name, so that no other test needs what is removed here."""
    (tmp_path / "files").mkdir()
    folder = copy_project(GUESTS["tutorial"].folder, tmp_path / "source")
    (folder / "stack.toml").write_text(MANIFEST)
    return folder


def test_a_removal_leaves_the_host_as_it_was(vm: Machine, deployed: Played, source: Path, tmp_path: Path) -> None:
    project = Project(vm, GUESTS["tutorial"], f"temporary.{vm.domain}", tmp_path / "files", source)
    before = list_host(vm)
    project.deploy_by_command().check()
    services = running_services(vm, NAME)
    assert f"{NAME}-listener.service" in services
    # Redis needs no network, whatever the manifest says.
    assert [unit for unit in services if not shares_network(vm, unit)] == [f"{NAME}-redis.service"]
    assert "connected" in connect_from_sandbox(vm, NAME)
    assert vm.run(f"systemctl is-active {NAME}-check.timer").strip() == "active"
    vm.run(f"systemctl start {NAME}-check.service")  # what the timer starts

    refused = vm.playbook("remove.yml", *project.variables("v1"))
    assert refused.code != 0
    assert f"Confirm with -e site_confirm={NAME}" in refused.output
    project.command("remove", "--yes").check()

    after = list_host(vm)
    backups = f"/var/backups/{NAME}-removed"
    assert {line for line in after - before if not line.startswith(backups)} == set()
    assert before - after == set()
    assert vm.run(f"ls {backups}/*.dump").strip()
    vm.run(f"rm -r {backups}")
    trust = "--trust /etc/nginx/certificate/fullchain.pem"
    vm.run(f"/opt/parley/current/deploy/smoke.py https://{vm.domain} --connect 127.0.0.1 {trust}")
