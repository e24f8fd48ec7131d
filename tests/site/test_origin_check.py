"""Pages of other sites cannot open a project's sockets, whether or not the project checks the Origin itself."""

import pytest
from websockets.exceptions import InvalidStatus

from tests.site import tutorial
from tests.site.project import HOST, ORIGIN

WITHOUT_CHECK = tutorial.ASGI.replace(
    "AllowedHostsOriginValidator(AuthMiddlewareStack(URLRouter(websocket_urlpatterns)))",
    "AuthMiddlewareStack(URLRouter(websocket_urlpatterns))",
)
# A page of the time names only the developer's own machine.
WITH_OTHER_CHECK = (
    tutorial.ASGI.replace("AllowedHostsOriginValidator(", "OriginValidator(")
    .replace("import AllowedHosts", "import ")
    .replace("(websocket_urlpatterns)))", '(websocket_urlpatterns)), ["http://localhost:8000"])')
)
WITH_ANY_ORIGIN = WITH_OTHER_CHECK.replace('["http://localhost:8000"]', '["*"]')
PATH = "/ws/chat/harbour/"


async def status(server, *, origin=ORIGIN, **headers):
    """Return the status of a handshake. None of them is refused for another reason than its Origin."""
    try:
        async with server.connect(PATH, origin=origin, additional_headers=headers):
            return 101
    except InvalidStatus as refused:
        response = refused.response
    assert "X-Refused-By" not in response.headers or origin is None, "marked as a refusal of the project's consumer"
    return response.status_code


@pytest.fixture
def start(make_project, redis_url):
    def make(asgi, **site):
        project = make_project(tutorial.with_files(mysite__asgi=asgi), redis_url=redis_url, **site)
        project.migrate()
        return project.sockets()

    return make


NO_CHECK = "The project does not check the Origin of handshakes"
ACCEPTS_ALL = "The project's check of the Origin accepts every page (ALLOWED_HOSTS or its list is *)"


@pytest.mark.parametrize(
    ("asgi", "hosts", "sentence"),
    [
        (WITHOUT_CHECK, [HOST], NO_CHECK),
        (WITH_ANY_ORIGIN, [HOST], ACCEPTS_ALL),
        (tutorial.ASGI, ["*"], ACCEPTS_ALL),  # as in a local run
    ],
    ids=["without a check", "with a check of nothing", "with a check of all hosts"],
)
async def test_the_stack_checks_where_the_project_does_not(start, asgi, hosts, sentence):
    with start(asgi, hosts=hosts) as server:
        assert await status(server) == 101
        assert await status(server, origin=f"http://{HOST}") == 101
        assert await status(server, origin=f"http://{HOST}", **{"X-Forwarded-Proto": "https"}) == 403
        assert await status(server, origin="https://evil.example") == 403
        assert await status(server, origin="null") == 403
        assert await status(server, origin=None) == 101, "a program"
        assert await status(server, origin=None, Cookie="sessionid=x") == 403
        log = server.log()
    assert f"{sentence}; the stack accepts the site's own pages only." in log
    assert (NO_CHECK in log) == (sentence == NO_CHECK)
    assert f"Socket refused at {PATH}: Origin 'https://evil.example' is neither this host ('{HOST}')" in log


async def test_the_projects_own_check_stays_and_its_refusal_is_logged(start):
    with start(tutorial.ASGI) as server:
        assert await status(server) == 101
        assert await status(server, origin="https://evil.example") == 403
        assert await status(server, origin=None) == 403, "Channels refuses programs as well"
        log = server.log()
    assert "does not check the Origin" not in log
    assert f"Socket refused at {PATH} by the project: Origin 'https://evil.example' is neither this host" in log


async def test_a_check_that_names_another_address_accepts_the_sites(start):
    with start(WITH_OTHER_CHECK) as server:
        assert await status(server) == 101
        assert await status(server, origin="http://localhost:8000") == 101
        assert await status(server, origin="https://evil.example") == 403
        assert f"The project's OriginValidator now accepts {ORIGIN}." in server.log()


async def test_the_check_can_be_switched_off(start):
    with start(WITHOUT_CHECK, origin_check=False) as server:
        assert await status(server, origin="https://evil.example") == 101
        assert "Nothing checks the Origin of handshakes: any page may open the site's sockets" in server.log()
