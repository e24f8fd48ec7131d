"""Messages become visible in the order of their seq, however many processes post at once."""

import pytest

from tests.postgres import Postgres
from tests.stack.commands import result, start

WRITERS = ("ann", "ben", "cleo", "dan")
EACH = 200


@pytest.fixture(params=["sqlite", "postgres"])
def database(request, tmp_path):
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/order.sqlite3"
    postgres: Postgres = request.getfixturevalue("postgres")
    return postgres.url("commit_order")


def test_commit_order_is_seq_order_with_sixteen_writers_in_four_processes(database):
    result(start("migrate", "pier", *WRITERS, database=database))
    last = len(WRITERS) + EACH * len(WRITERS)  # the joins count, too
    watcher = start("watch", "pier", str(last), database=database)
    writers = [start("post", "pier", name, str(EACH), database=database) for name in WRITERS]
    acked = sorted(seq for writer in writers for seq in result(writer))
    assert acked == list(range(len(WRITERS) + 1, last + 1))
    assert result(watcher) > 0
