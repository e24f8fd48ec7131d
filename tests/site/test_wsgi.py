"""The pages are served by the project's WSGI application, or by Django's where it has none that works."""

import pytest

from tests.site import tutorial

WRAPPED = (
    tutorial.WSGI
    + """

def wrapped(environ, start_response):
    environ["HTTP_X_WRAPPED"] = "yes"
    return application(environ, start_response)


not_an_application = 1
"""
)
URLS = """
from django.http import HttpResponse
from django.urls import path

urlpatterns = [path("", lambda request: HttpResponse(request.headers.get("X-Wrapped", "no")))]
"""


@pytest.mark.parametrize(
    ("wsgi", "wrapped", "said"),
    [
        ("mysite.wsgi:wrapped", "yes", ""),
        ("", "no", ""),
        ("mysite.absent:application", "no", "mysite.absent:application cannot be used, so Django's own"),
        ("mysite.wsgi:absent", "no", "mysite.wsgi has no attribute 'absent'"),
        ("mysite.wsgi:not_an_application", "no", "mysite.wsgi:not_an_application is no application but 'int'"),
    ],
)
def test_pages_are_served(make_project, wsgi, wrapped, said):
    project = make_project(tutorial.with_files(mysite__wsgi=WRAPPED, mysite__urls=URLS), wsgi=wsgi)
    project.migrate()
    with project.pages() as server:
        assert server.get("/").text == wrapped
        assert server.get("/livez").text == "ok\n"
        assert said in server.log()
        assert ("WARNING channels_stack.wsgi" in server.log()) is bool(said)


def test_pages_are_served_while_the_sockets_cannot_be_imported(make_project):
    project = make_project(tutorial.with_files(chat__consumers="import nothing_of_this_name\n"))
    project.migrate()
    with project.pages() as server:
        assert server.get("/chat/harbour/").text == "harbour"
        assert "The socket routes are unknown to the pages: ModuleNotFoundError" in server.log()
