"""Fixtures for all tests. alice and bob are members of the room, mallory is not."""

from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any

# pytest's plugin for it does this import after the last test, in a suite that has none of its tests. Garbage that is
# collected while Python parses (3.11) ends such a run with a SystemError: pytest's report of it parses, too.
import hypothesis  # noqa: F401
import pytest
from werkzeug.serving import BaseWSGIServer

from accounts.models import User
from channels_realtime.process import close_shared_process
from chat.models import Room
from chat.services import members, rooms
from tests import asgi_transport
from tests.chat_client import ChatClient
from tests.postgres import Postgres
from tests.running import Stack

pytest_plugins = ["tests.fast", "tests.scheduling"]

PASSWORD = "correct horse battery staple"


@pytest.fixture
def alice(transactional_db: None) -> User:
    return User.objects.create_user("alice", "alice@example.com", PASSWORD, display_name="Alice Lind")


@pytest.fixture
def bob(transactional_db: None) -> User:
    return User.objects.create_user("bob", "bob@example.com", PASSWORD)


@pytest.fixture
def mallory(transactional_db: None) -> User:
    return User.objects.create_user("mallory", "mallory@example.com", PASSWORD)


@pytest.fixture
def room(alice: User, bob: User) -> Room:
    """An open room, created by alice."""
    made = rooms.join_room(slug="harbour", user=alice)
    rooms.join_room(slug="harbour", user=bob)
    return made


@pytest.fixture
def secret(alice: User, bob: User) -> Room:
    """A private room of alice and bob."""
    made = rooms.create_private_room(title="Crew only", owner=alice)
    members.add_member(slug=made.slug, by=alice, user=bob)
    return made


@pytest.fixture
async def connect(transactional_db: None) -> AsyncIterator[Callable[..., AbstractAsyncContextManager[ChatClient]]]:
    """Connect a client in this process: `async with connect(alice, "harbour") as hers:` has joined that room."""

    @asynccontextmanager
    async def open_client(user: User, *slugs: str, **options: Any) -> AsyncIterator[ChatClient]:
        async with await asgi_transport.new_client(user, **options) as opened:
            for slug in slugs:
                await opened.join(slug)
            yield opened

    yield open_client
    await close_shared_process()


@pytest.fixture(scope="session")
def oidc_server() -> Iterator[BaseWSGIServer]:
    """An OpenID Connect server, where walter has an account."""
    from oidc_provider_mock import User as Account
    from oidc_provider_mock import run_server_in_thread

    walter = Account(sub="walter", claims={"name": "Walter Lind", "preferred_username": "walter@example.org"})
    with run_server_in_thread(user_claims=[walter]) as server:
        yield server


@pytest.fixture(scope="session")
def stack(oidc_server: BaseWSGIServer) -> Iterator[Stack]:
    """A running stack, started once for each process of the test run, with sign-in by `oidc_server`."""
    running = Stack(
        OIDC_NAME="Harbour ID",
        OIDC_SERVER_URL=f"http://localhost:{oidc_server.server_port}",
        OIDC_CLIENT_ID="parley",
        OIDC_CLIENT_SECRET="only for tests",
    )
    yield running
    running.stop()


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    running = Postgres()
    yield running
    running.stop()


@pytest.fixture(scope="session")
def postgres_stack(postgres: Postgres) -> Iterator[Stack]:
    """A running stack on PostgreSQL."""
    running = Stack(DATABASE_URL=postgres.url("stack"))
    yield running
    running.stop()
