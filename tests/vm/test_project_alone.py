"""A project alone on a bare host, deployed by the operator's own command."""

import asyncio
import os
import shlex
import subprocess
import sys
from uuid import uuid4

import pytest

from tests.guests.guests import GUESTS
from tests.running import REPO
from tests.vm.machine import ROOT_CA, Machine, Played
from tests.vm.project import Handshakes, Project
from tests.vm.units import assert_little_is_exposed, assert_no_network

GUEST = GUESTS["tutorial"]
SECONDS_TO_A_SITE = 360
BEFORE_THE_RELEASE = 50  # sockets that are open when the release begins


@pytest.fixture(scope="module")
def project(alone_vm: Machine, tmp_path_factory: pytest.TempPathFactory) -> Project:
    return Project(alone_vm, GUEST, alone_vm.domain, tmp_path_factory.mktemp("project"), GUEST.folder)


@pytest.fixture(scope="module")
def was_bare(alone_vm: Machine) -> bool:
    return alone_vm.run("ls -d /opt/*/releases /etc/nginx", check=False).count("ls: ") == 2


@pytest.fixture(scope="module")
def deployed(was_bare: bool, project: Project) -> Played:
    """The first deployment."""
    return project.deploy_by_command().check()


def test_a_bare_host_serves_the_project_after_one_command(
    project: Project, was_bare: bool, deployed: Played, record_property
) -> None:
    record_property("bare", was_bare)
    record_property("seconds_of_the_first_deployment", round(deployed.seconds))
    assert deployed.seconds < SECONDS_TO_A_SITE


def test_a_second_run_changes_nothing(project: Project, deployed: Played, record_property) -> None:
    played = project.deploy_by_command().check()
    record_property("seconds_of_the_second_run", round(played.seconds))
    assert played.recap(project.vm.address.partition("@")[2])["changed"] == 0, played.output


def test_the_site_passes_the_acceptance_tests_of_guests(project: Project, deployed: Played) -> None:
    def on_the_host(command: str) -> str:
        return shlex.join([*project.vm.ssh, f"sudo {command}"])

    where = {
        "PARLEY_GUEST": project.guest.name,
        "PARLEY_BASE_URL": f"https://{project.domain}",
        "PARLEY_RESOLVE": f"{project.domain}={project.vm.variables['ansible_host']}",
        "PARLEY_GUEST_STOP": on_the_host(f"systemctl stop {project.name}.target"),
        "PARLEY_GUEST_START": on_the_host(f"systemctl start {project.name}.target"),
        **({"PARLEY_CA": ROOT_CA} if ROOT_CA else {}),
    }
    command = [sys.executable, "-m", "pytest", "-n", "0", "-q", "-p", "no:cacheprovider", "-rs", "tests/guests"]
    command.append("--ignore=tests/guests/test_doctor.py")  # it stops the Redis of a site on this machine
    done = subprocess.run(command, cwd=REPO, env=os.environ | where, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-6000:]
    assert " passed" in done.stdout
    assert "skipped" not in done.stdout


async def test_a_release_fails_no_handshake_and_closes_each_socket_with_1012(
    project: Project, deployed: Played, record_property
) -> None:
    new = f"v{uuid4().hex[:6]}"
    with project.site() as site:
        async with Handshakes(site, project.guest) as handshakes:
            await handshakes.until_opened(BEFORE_THE_RELEASE)
            (await asyncio.to_thread(project.deploy, new, playbook="deploy.yml")).check()
            closed = handshakes.codes.total()
            await handshakes.until_opened(10)
            record_property("handshakes", handshakes.opened)
            record_property("slowest_handshake_seconds", round(handshakes.slowest, 2))
            record_property("closes", dict(handshakes.codes))
            assert project.release == new
            assert handshakes.failures == {}
            assert set(handshakes.codes) == {1012}
            assert closed >= BEFORE_THE_RELEASE


def test_little_is_exposed(project: Project, deployed: Played, record_property) -> None:
    record_property("exposure", assert_little_is_exposed(project.vm, project.name))


def test_the_project_reaches_no_other_host(project: Project, deployed: Played) -> None:
    assert_no_network(project.vm, project.name)
