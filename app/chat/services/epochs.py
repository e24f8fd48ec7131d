"""The site's epoch: it names the history that sequence numbers belong to."""

from uuid import uuid4

from chat.models import Epoch

EPOCH_TABLE = Epoch._meta.db_table  # noqa: SLF001  a documented API


def begin_epoch() -> str:
    """Give the site a new epoch and return it. Within seconds, every client of the old one reloads its rooms.

    It is for a database that was restored to an older state by other means than deploy/restore.
    """
    epoch, _ = Epoch.objects.update_or_create(pk=1, defaults={"value": uuid4()})
    return str(epoch.value)


def build_new_epoch_sql() -> str:
    """Return the SQL statement that does the same in the transaction of a restore."""
    value = uuid4().hex
    return (
        f"INSERT INTO {EPOCH_TABLE} (id, value) VALUES (1, '{value}')"  # noqa: S608  neither value comes from outside
        " ON CONFLICT (id) DO UPDATE SET value = excluded.value"
    )
