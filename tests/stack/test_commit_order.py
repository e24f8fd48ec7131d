"""Messages become visible in the order of their sequence numbers when several processes post at once."""

import pytest

from tests.postgres import Postgres
from tests.stack.commands import result, start

WRITERS = ("ann", "ben", "cleo", "dan")
MESSAGES_PER_WRITER = 200


@pytest.fixture(params=["sqlite", "postgres"])
def database(request, tmp_path):
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/order.sqlite3"
    postgres: Postgres = request.getfixturevalue("postgres")
    return postgres.url("commit_order")


def test_messages_of_sixteen_threads_in_four_processes_are_committed_in_the_order_of_their_numbers(database):
    result(start("migrate", "pier", *WRITERS, database=database))
    last = len(WRITERS) + MESSAGES_PER_WRITER * len(WRITERS)  # each join has a sequence number too
    watcher = start("watch", "pier", str(last), database=database)
    writers = [start("post", "pier", name, str(MESSAGES_PER_WRITER), database=database) for name in WRITERS]
    acked = sorted(seq for writer in writers for seq in result(writer))
    assert acked == list(range(len(WRITERS) + 1, last + 1))
    assert result(watcher) > 0
