"""The stack's pages appear where the project has none; a page of the project at the same address wins."""

import pytest

from tests.site import tutorial

OWN_PAGES = """
from django.http import HttpResponse
from django.urls import path

urlpatterns = [
    path("readyz", lambda request: HttpResponse("the project's own")),
    path("ws/chat/harbour/", lambda request: HttpResponse("a page")),
]
"""
# A single-page application answers every address with the same page.
CATCH_ALL = """
from django.http import HttpResponse
from django.urls import re_path

urlpatterns = [re_path(r"^.*$", lambda request: HttpResponse("the application"))]
"""
# A project that wants https and a sign-in everywhere.
STRICT = """
SECURE_SSL_REDIRECT = True
MIDDLEWARE += ["mysite.middleware.sign_in"]
"""
SIGN_IN = """
from django.http import HttpResponseRedirect


def sign_in(get_response):
    return lambda request: HttpResponseRedirect("/sign-in/")
"""
# A socket at the address of a page, as path-less sockets have it.
PATHLESS = """
from django.urls import path, re_path

from . import consumers

websocket_urlpatterns = [
    path("", consumers.ChatConsumer.as_asgi()),
    re_path(r"chat/(?P<room_name>\\w+)/$", consumers.ChatConsumer.as_asgi()),
]
"""


@pytest.fixture
def serve(make_project, redis_url):
    def start(files, **site):
        project = make_project(files, redis_url=redis_url, **site)
        project.migrate()
        return project

    return start


def test_the_projects_own_page_wins(serve):
    project = serve(tutorial.with_files(mysite__urls=OWN_PAGES))
    with project.pages() as pages:
        assert pages.get("/readyz").text == "the project's own"
        assert pages.get("/livez").text == "ok\n"
        assert pages.get("/ws/chat/harbour/").text == "a page"
        assert pages.get("/ws/chat/other/").status_code == 426


def test_a_pattern_that_takes_every_address_is_no_page(serve):
    project = serve(tutorial.with_files(mysite__urls=CATCH_ALL))
    with project.pages() as pages:
        assert pages.get("/anything").text == "the application"
        assert pages.get("/readyz").json()["ready"] is True
        assert pages.get("/ws/chat/harbour/").status_code == 426
        # To visitors, /metrics is an address like any other.
        assert pages.get("/metrics", **{"X-Forwarded-For": "203.0.113.9"}).text == "the application"


def test_probes_need_no_https_no_host_and_no_sign_in(serve):
    files = tutorial.with_settings(STRICT) | {"mysite/middleware.py": SIGN_IN}
    project = serve(files)
    with project.pages() as pages, project.sockets() as sockets:
        for server in (pages, sockets):
            assert server.get("/readyz", Host="localhost").status_code == 200
            assert server.get("/ws/chat/harbour/", Host="10.0.0.1").status_code == 426
            assert server.get("/chat/").headers["Location"] == "https://chat.example.org/chat/"


def test_a_page_at_the_address_of_a_socket_stays_a_page(serve):
    project = serve(tutorial.with_files(chat__routing=PATHLESS))
    with project.pages() as pages:
        assert pages.get("/chat/harbour/").text == "harbour"
        assert pages.get("/").status_code == 426, "the project has no page here"
        assert pages.get("/nowhere").status_code == 404


def test_an_unapplied_migration_is_not_ready(make_project, redis_url):
    project = make_project(tutorial.FILES, redis_url=redis_url)
    with project.pages() as pages:
        answer = pages.get("/readyz")
    assert answer.status_code == 503
    assert "auth.0001_initial" in answer.json()["migrations"]


def test_a_layer_that_is_away_is_not_ready(serve):
    project = serve(
        tutorial.FILES,
    )
    project.describe(redis_url="unix:///nowhere/redis.sock")
    with project.sockets() as sockets, project.pages() as pages:
        for server in (sockets, pages):
            answer = server.get("/readyz")
            assert answer.status_code == 503
            assert answer.json()["channel_layer"] == "TimeoutError: no message arrived within 2 s"
            assert server.get("/livez").status_code == 200


def test_a_visitor_of_the_name_alone_is_sent_to_where_the_project_begins(serve):
    project = serve(tutorial.FILES, home="/chat/lobby/")
    with project.pages() as pages:
        answer = pages.get("/")
        assert (answer.status_code, answer.headers["Location"]) == (302, "/chat/lobby/")
        assert pages.get("/nowhere/").status_code == 404


def test_a_page_at_the_top_is_never_replaced(serve):
    project = serve(tutorial.with_files(mysite__urls=CATCH_ALL), home="/chat/lobby/")
    with project.pages() as pages:
        assert pages.get("/").text == "the application"


def test_a_project_that_begins_nowhere_has_no_page_at_the_top(serve):
    project = serve(tutorial.FILES)
    with project.pages() as pages:
        assert pages.get("/").status_code == 404
