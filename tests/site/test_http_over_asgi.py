"""Plain HTTP at the server of WebSockets: Django's pages, and the project's own application where it is asked for."""

from tests.site import tutorial

WITHOUT_HTTP = tutorial.ASGI.replace('        "http": django_asgi_app,\n', "")
OWN_HTTP = tutorial.ASGI.replace(
    '"http": django_asgi_app', '"http": URLRouter([path("dpd/poke", Poke.as_asgi()), re_path("", django_asgi_app)])'
).replace(
    "from chat.routing",
    """from channels.generic.http import AsyncHttpConsumer
from django.urls import path, re_path


class Poke(AsyncHttpConsumer):
    async def handle(self, body):
        await self.send_response(200, b"poked")


from chat.routing""",
)


def serve(make_project, redis_url, asgi, **site):
    project = make_project(tutorial.with_files(mysite__asgi=asgi), redis_url=redis_url, **site)
    project.migrate()
    return project.sockets()


def test_pages_are_served_where_the_project_forgot_http(make_project, redis_url):
    with serve(make_project, redis_url, WITHOUT_HTTP) as server:
        assert server.get("/chat/harbour/").text == "harbour"
        assert server.get("/readyz").status_code == 200


def test_only_the_named_paths_go_to_the_projects_application(make_project, redis_url):
    with serve(make_project, redis_url, OWN_HTTP, asgi_http=["dpd/"]) as server:
        assert server.get("/dpd/poke").text == "poked"
        assert server.get("/chat/harbour/").text == "harbour"
    with serve(make_project, redis_url, OWN_HTTP) as server:
        assert server.get("/dpd/poke").status_code == 404, "Django has no such page"


def test_all_paths_go_to_the_projects_application(make_project, redis_url):
    with serve(make_project, redis_url, OWN_HTTP, asgi_http="all") as server:
        assert server.get("/dpd/poke").text == "poked"
        assert server.get("/chat/harbour/").text == "harbour"
        assert server.get("/readyz").status_code == 200


def test_a_project_without_an_asgi_application_has_pages_and_no_sockets(make_project, redis_url):
    project = make_project(tutorial.FILES, redis_url=redis_url, asgi="")
    project.migrate()
    assert project.routes() == []
    with project.sockets() as server:
        assert server.get("/chat/harbour/").text == "harbour"
