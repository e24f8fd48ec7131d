"""Hosts that cannot work: a deployment ends before the first change, and a sentence for each reason says what to do.

The site is a project that is never deployed, so a host that is a site already has room for these tests, too.
"""

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from deploy.discovery import complete
from deploy.manifest import read_manifest
from deploy.site_context import to_fields
from tests.running import REPO
from tests.vm.machine import Machine, Played

PORT = 8099
SECONDS = 30
MEMINFO = "/run/preflight-meminfo"
NO_KNOWN_KEY = "-o UserKnownHostsFile=/dev/null -o StrictHostKeyChecking=yes -o ControlPath=none"
# What a look at the host may not touch. Logs and what sshd, sudo and systemd keep of a login are in other folders.
LOOKED_AT = "/etc /opt /usr /root /srv /var/lib/dpkg /var/backups"


@pytest.fixture
def variables(vm: Machine, tmp_path: Path) -> Path:
    """The variables of a project with a port of its own."""
    manifest = complete(read_manifest(REPO / "tests" / "guests" / "tutorial"))
    manifest = replace(manifest, name="preflight-test", domain=f"preflight.{vm.domain}", ports=(PORT,))
    file = tmp_path / "site-vars.json"
    fields = {"site_manifest": to_fields(manifest), "site_domain": manifest.domain, "site_only_looks": True}
    file.write_text(json.dumps(fields))
    return file


@contextmanager
def fault(vm: Machine, make: str, undo: str) -> Iterator[None]:
    """The host has the fault that the shell command `make` makes."""
    vm.run(make)
    try:
        yield
    finally:
        vm.run(undo)


def look(vm: Machine, variables: Path, *options: str, playbook: str = "preflight.yml") -> Played:
    vm.run("touch /run/preflight-stamp; sleep 0.1", check=False)
    return vm.playbook(playbook, "-e", f"@{variables}", *options)


def flat(played: Played) -> str:
    """The output without its line breaks."""
    return " ".join(played.output.split())


def assert_refused(vm: Machine, played: Played, subject: str, sentence: str) -> None:
    """Assert that the run ended in time with that stop, and changed nothing."""
    assert played.code != 0, played.output
    assert re.search(rf"✗ {subject}\s+{sentence}", flat(played)), played.output
    assert "→" in played.output
    assert played.recap(vm.name)["changed"] == 0
    assert played.seconds < SECONDS
    # A cloud's agent may write /etc/hosts at any time.
    changed = (
        f"find {LOOKED_AT} -xdev -newer /run/preflight-stamp -type f ! -name '*.pyc' ! -path /etc/hosts 2>/dev/null"
    )
    assert vm.run(changed, check=False).strip() == ""


def test_a_host_that_can_work_is_told_so(vm: Machine, variables: Path, record_property) -> None:
    played = look(vm, variables).check()
    record_property("seconds_of_the_look", round(played.seconds, 1))
    assert "has what the site needs" in played.output
    assert played.recap(vm.name)["changed"] == 0


FAULTS = {
    "a port in use": (
        f"systemd-run --quiet --unit=preflight-port python3 -m http.server {PORT}; "
        f"until ss -tln | grep -q :{PORT}; do sleep 0.1; done",
        "systemctl stop preflight-port",
        f"port {PORT}",
        r"python3 \(pid \d+, preflight-port.service\) listens",
    ),
    "a small disk": (
        "mkdir -p /opt/preflight-test && mount -t tmpfs -o size=200m tmpfs /opt/preflight-test",
        "umount /opt/preflight-test; rmdir /opt/preflight-test",
        "disk /opt/preflight-test",
        "/opt/preflight-test has 200 MB free; the deployment needs 240 MB",
    ),
    "programs that may not run": (
        "mkdir -p /opt/preflight-test && mount -t tmpfs -o size=2g,noexec tmpfs /opt/preflight-test",
        "umount /opt/preflight-test; rmdir /opt/preflight-test",
        "mount /opt/preflight-test",
        "/opt/preflight-test is mounted with noexec",
    ),
    "little memory": (
        f"sed -E 's/^(MemTotal|MemAvailable): .*/\\1: 262144 kB/' /proc/meminfo >{MEMINFO}; "
        f"mount --bind {MEMINFO} /proc/meminfo",
        "umount /proc/meminfo",
        "memory",
        "This host has 256 MB of memory; a site needs a host with 1 GB",
    ),
    "no DNS": (
        "cp -a /etc/resolv.conf /run/preflight-resolv; echo nameserver 192.0.2.1 >/run/preflight-broken; "
        "mount --bind /run/preflight-broken $(readlink -f /etc/resolv.conf)",
        "umount $(readlink -f /etc/resolv.conf)",
        "dns",
        "This host cannot resolve .*; its name servers are 192.0.2.1",
    ),
    "a user of another program": (
        "useradd --no-create-home preflight-test && touch -d -1hour /etc/passwd",
        "userdel preflight-test",
        "user",
        r"The host has a user preflight-test \(uid \d+, home /home/preflight-test\)",
    ),
    "no python3": (
        "mv /usr/bin/python3 /usr/bin/python3.away",
        "mv /usr/bin/python3.away /usr/bin/python3",
        "python",
        "This host has no python3",
    ),
}


@pytest.mark.parametrize("name", FAULTS)
def test_a_host_with_a_fault_is_refused(vm: Machine, variables: Path, name: str) -> None:
    make, undo, subject, sentence = FAULTS[name]
    with fault(vm, make, undo):
        played = look(vm, variables)
        assert_refused(vm, played, subject, sentence)
    assert "cannot become the site" not in look(vm, variables).output


def test_a_blocked_port_80_is_refused(vm: Machine, variables: Path) -> None:
    vm.run("command -v nft >/dev/null || apt-get -qq install -y nftables >/dev/null 2>&1", seconds=300)
    rule = "table inet preflight-test { chain input { type filter hook input priority -10; tcp dport 80 drop; }; }"
    with fault(vm, f"nft '{rule}'", "nft delete table inet preflight-test"):
        assert_refused(vm, look(vm, variables), "port 80", r"\S+ port 80 does not answer this machine")


def test_a_sudo_with_a_password_is_refused_and_the_option_is_named(vm: Machine, variables: Path) -> None:
    user = vm.variables["ansible_user"]
    file = "/etc/sudoers.d/zz-preflight-test"
    restore = f"systemd-run --quiet --on-active=20 --unit=preflight-sudo rm {file}"
    with sudo_with_password(vm, f"{restore}; echo '{user} ALL=(ALL) PASSWD: ALL' >{file}"):
        played = look(vm, variables)
    assert played.code != 0
    assert "sudo asks" in flat(played)
    assert "-K" in flat(played)
    assert played.recap(vm.name)["changed"] == 0


@contextmanager
def sudo_with_password(vm: Machine, command: str) -> Iterator[None]:
    """Sudo wants a password until the timer of `command` ends that."""
    vm.run(command)
    try:
        yield
    finally:
        vm.until("-n true", seconds=60)


def test_a_wrong_clock_is_refused(vm: Machine, variables: Path) -> None:
    """libfaketime, because a container cannot set its clock."""
    vm.run("apt-get -qq install -y libfaketime >/dev/null 2>&1", seconds=300)
    library = "$(find /usr/lib -name libfaketime.so.1 | head -n 1)"
    make = f"echo -2d >/etc/faketimerc; printf '#!/bin/sh\\nLD_PRELOAD={library} exec /usr/bin/python3 \"$@\"\\n'"
    make += " >/usr/local/bin/python3; chmod 755 /usr/local/bin/python3; touch -d -1hour /usr/local/bin/python3"
    with fault(vm, make, "rm /usr/local/bin/python3 /etc/faketimerc"):
        assert_refused(vm, look(vm, variables), "clock", "The clock of the host is 2 days behind this machine's")


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (("-e", "ansible_user=nobody-here"), "refuses the user nobody-here"),
        (("-e", "ansible_port=2299"), "No ssh server listens at"),
        (("-e", "ansible_host=nowhere.invalid"), "ssh cannot resolve the name nowhere.invalid"),
        (("-e", f"ansible_ssh_common_args='{NO_KNOWN_KEY}'"), "The key of"),
    ],
)
def test_a_host_that_ssh_does_not_reach_is_one_sentence(
    vm: Machine, variables: Path, options: tuple[str, str], sentence: str
) -> None:
    played = look(vm, variables, *options)
    assert played.code != 0
    assert sentence in flat(played)
    assert "✗ ssh" in played.output
    assert played.seconds < SECONDS


def test_a_whole_deployment_ends_there_as_well_and_a_stop_can_be_accepted(vm: Machine, variables: Path) -> None:
    make, undo, subject, sentence = FAULTS["little memory"]
    with fault(vm, make, undo):
        assert_refused(vm, look(vm, variables, playbook="site.yml"), subject, sentence)
        played = look(vm, variables, "-e", "site_accept=memory").check()
    assert "Accepted: This host has 256 MB of memory" in flat(played)


def test_make_deploy_with_check_only_looks(vm: Machine) -> None:
    played = vm.make("deploy", CHECK="1", **vm.site_variables()).check()
    assert "has what the site needs" in played.output
    assert "Set up every host" not in played.output
