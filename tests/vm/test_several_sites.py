"""Two projects beside the chat on one host: none notices what happens to another, and none reads what another has."""

import asyncio
from contextlib import AsyncExitStack
from pathlib import Path
from typing import NamedTuple
from uuid import uuid4

import pytest

from tests.docker.crowd import Talk, assert_all_received, crowd
from tests.guests.guests import GUESTS
from tests.vm.machine import Machine, Witnessed
from tests.vm.project import Conversation, Project, break_release, copy_project
from tests.vm.units import assert_little_is_exposed, assert_no_network

CELERY = "notifications-celery.service"


class Projects(NamedTuple):
    tutorial: Project
    notifications: Project  # with a Celery worker and a runworker


@pytest.fixture(scope="module")
def projects(vm: Machine, tmp_path_factory: pytest.TempPathFactory) -> Projects:
    vm.deploy_once()
    folder = tmp_path_factory.mktemp("projects")
    found = Projects(
        *(
            Project(vm, guest, f"{label}.{vm.domain}", folder, guest.folder)
            for guest, label in ((GUESTS["tutorial"], "project"), (GUESTS["notifications"], "second"))
        )
    )
    for project in found:
        project.deploy("v1").check()
    return found


async def test_all_sites_serve_sockets_at_once(site: Witnessed, projects: Projects) -> None:
    async with AsyncExitStack() as stack:
        for project in projects:
            guest = stack.enter_context(project.site())
            await stack.enter_async_context(Conversation(guest, project.guest))
        async with crowd(site, await site.cookies(2), f"t-{uuid4().hex[:8]}", 10) as members:
            async with Talk(members, 10) as talk:
                await talk.acks(50)
            await assert_all_received(members, talk.acked)


def test_a_second_run_changes_nothing(vm: Machine, projects: Projects) -> None:
    versions = [project.release for project in projects]
    for played in (
        *(project.deploy(version) for project, version in zip(projects, versions, strict=True)),
        vm.playbook("site.yml"),
    ):
        assert played.check().recap(vm.name)["changed"] == 0, played.output


async def test_a_release_of_one_project_loses_no_message_of_another_site(
    vm: Machine, site: Witnessed, projects: Projects, tmp_path: Path
) -> None:
    """One release that works, one that is broken, and a rollback."""
    tutorial, notifications = projects
    before = tutorial.release
    broken = break_release(copy_project(tutorial.source, tmp_path / "broken"), "chat/consumers.py")
    new, worse = f"v{uuid4().hex[:6]}", f"v{uuid4().hex[:6]}"
    with tutorial.site() as released, notifications.site() as other:
        async with crowd(site, await site.cookies(2), f"t-{uuid4().hex[:8]}", 20) as members:
            async with Talk(members, 10) as talk, Conversation(other, notifications.guest) as notices:
                await notices.texts(5)
                (await asyncio.to_thread(tutorial.deploy, new, playbook="deploy.yml")).check()
                assert tutorial.release == new
                # The broken release closes no socket of its own site either.
                async with Conversation(released, tutorial.guest) as talk_of_the_project:
                    played = await asyncio.to_thread(tutorial.deploy, worse, broken, playbook="deploy.yml")
                    assert played.code != 0
                    assert "this release is broken" in played.output
                    assert tutorial.release == new
                    await talk_of_the_project.texts(5)
                (await asyncio.to_thread(vm.playbook, "rollback.yml", *tutorial.variables(new))).check()
                assert tutorial.release == before
                await talk.acks(20)
                await notices.texts(5)
            await assert_all_received(members, talk.acked)
            assert site.codes == {}
            assert all(member.away == [] for member in members)


async def test_a_release_of_the_chat_closes_no_socket_of_a_project(
    vm: Machine, site: Witnessed, projects: Projects
) -> None:
    async with AsyncExitStack() as stack:
        talks = [
            await stack.enter_async_context(Conversation(stack.enter_context(project.site()), project.guest))
            for project in projects
        ]
        await asyncio.to_thread(vm.run, "/opt/parley/current/deploy/release.py restart")
        for talk in talks:
            await talk.texts(5)


def test_a_release_replaces_the_processes_of_the_manifest(vm: Machine, projects: Projects) -> None:
    before = vm.pid(CELERY)
    new = f"v{uuid4().hex[:6]}"
    projects.notifications.deploy(new, playbook="deploy.yml").check()
    assert projects.notifications.release == new
    assert vm.pid(CELERY) != before
    for unit in (CELERY, "notifications-digest.service"):
        assert vm.run(f"readlink /proc/{vm.pid(unit)}/cwd").strip().startswith(f"/opt/notifications/releases/{new}/")


@pytest.mark.parametrize("name", Projects._fields)
def test_little_of_a_project_is_exposed(vm: Machine, projects: Projects, name: str, record_property) -> None:
    record_property("exposure", assert_little_is_exposed(vm, name))


@pytest.mark.parametrize("name", Projects._fields)
def test_a_project_reaches_no_other_host(vm: Machine, projects: Projects, name: str) -> None:
    assert_no_network(vm, name)


@pytest.mark.parametrize(
    ("user", "path"),
    [
        ("tutorial", "/etc/parley/credentials/SECRET_KEY"),
        ("tutorial", "/etc/notifications/credentials/SECRET_KEY"),
        ("tutorial", "/var/backups/parley/"),
        ("tutorial", "/run/parley/redis.sock"),
        ("tutorial", "/run/parley/ws1.sock"),
        ("tutorial", "/run/notifications/redis.sock"),
        ("parley", "/etc/tutorial/credentials/SECRET_KEY"),
        ("parley", "/run/tutorial/redis.sock"),
        ("parley", "/run/tutorial/ws1.sock"),
        ("parley", "/var/lib/tutorial/data/"),
        ("notifications", "/etc/tutorial/credentials/SECRET_KEY"),
        ("notifications", "/run/tutorial/redis.sock"),
        ("www-data", "/run/tutorial/redis.sock"),
    ],
)
def test_no_site_reads_secrets_or_sockets_of_another(vm: Machine, projects: Projects, user: str, path: str) -> None:
    assert vm.run(f"test -e {path} && echo there").strip() == "there"
    assert vm.run(f"runuser -u {user} -- test -r {path} || echo refused").strip() == "refused"


def test_no_site_connects_to_the_database_of_another(vm: Machine, projects: Projects) -> None:
    connect = "cd / && runuser -u tutorial -- psql -Atc 'SELECT 1'"
    for other in ("parley", "notifications"):
        assert "Peer authentication failed" in vm.run(f"{connect} -U {other} {other} 2>&1", check=False)
        assert "permission denied for database" in vm.run(f"{connect} {other} 2>&1", check=False)


def test_a_backup_of_a_project_is_its_own(vm: Machine, projects: Projects) -> None:
    vm.playbook("backup.yml", *projects.tutorial.variables("v1")).check()
    files = vm.run("ls /var/backups/tutorial").split()
    assert all(file.startswith("tutorial-") for file in files)
    assert any(file.endswith(".dump") for file in files)
