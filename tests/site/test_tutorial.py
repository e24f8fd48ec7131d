"""The project of the Channels tutorial is served unchanged: pages, sockets, health checks, and nothing is written."""

import json
from pathlib import Path

import pytest

from tests.site import tutorial
from tests.site.project import Project, receive


@pytest.fixture(scope="module")
def project(tmp_path_factory, redis_url):
    made = Project(tmp_path_factory.mktemp("tutorial"), tutorial.FILES, redis_url=redis_url)
    made.migrate()
    return made


@pytest.fixture(scope="module")
def sockets(project):
    with project.sockets() as server:
        yield server


@pytest.fixture(scope="module")
def pages(project):
    with project.pages() as server:
        yield server


async def test_a_message_reaches_the_other_members_of_the_room(sockets):
    async with sockets.connect("/ws/chat/harbour/") as alice, sockets.connect("/ws/chat/harbour/") as bob:
        await alice.send(json.dumps({"message": "Hello"}))
        assert await receive(bob) == {"message": "Hello"}
        assert await receive(alice) == {"message": "Hello"}


def test_both_servers_answer_pages(sockets, pages):
    for server in (sockets, pages):
        answer = server.get("/chat/harbour/")
        assert (answer.status_code, answer.text) == (200, "harbour")
        assert server.get("/nowhere/").status_code == 404


def test_both_servers_answer_health_checks(sockets, pages):
    for server in (sockets, pages):
        assert server.get("/livez").text == "ok\n"
        answer = server.get("/readyz")
        assert answer.status_code == 200, server.log()
        assert answer.json()["channel_layer"] == "ok"
        assert answer.json()["database"] == "ok"


def test_both_servers_count_requests(sockets, pages):
    for server in (sockets, pages):
        assert 'channels_request_seconds_count{status="2xx"}' in server.get("/metrics").text
    # What came through a proxy is a visitor's request, and metrics are not for visitors.
    assert pages.get("/metrics", X_Forwarded_For="203.0.113.9").status_code in (200, 404)
    assert pages.get("/metrics", **{"X-Forwarded-For": "203.0.113.9"}).status_code == 404


def test_plain_http_at_a_socket_route_is_answered_with_426(sockets, pages):
    for server, hop in ((sockets, "asgi"), (pages, "wsgi")):
        answer = server.get("/ws/chat/harbour/")
        assert (answer.status_code, answer.json()["hop"]) == (426, hop)


def test_the_start_says_what_the_stack_sets_and_shows_no_secret(sockets, pages, project):
    # One server of a site says it; the others would only repeat it.
    assert pages.log().count("The stack sets ALLOWED_HOSTS: [] -> ['chat.example.org'].") == 1
    for log in (sockets.log(), pages.log()):
        assert "Serving 1 socket routes: ws/chat/" in log
        assert project.environment["SECRET_KEY"] not in log
        assert "django-insecure-abc" not in log


def test_the_projects_folder_is_not_written_to(project, sockets, pages):
    project.run("-m", "django", "collectstatic", "--noinput", "-v0")
    assert (project.state / "static/admin/css/base.css").exists()
    written = {str(path.relative_to(project.root)) for path in Path(project.root).rglob("*") if path.is_file()}
    assert written == set(tutorial.FILES)


def test_manage_commands_find_nothing_wrong(project):
    assert "no issues" in project.run("-m", "django", "check").stdout
