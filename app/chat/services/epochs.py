"""The beginning of another history."""

from uuid import uuid4

from chat.models import Epoch

EPOCH_TABLE = Epoch._meta.db_table  # noqa: SLF001  Django's documented way


def begin_epoch() -> str:
    """Give the site a new epoch, and return it: whoever holds counts of the old one starts afresh, within seconds.

    For a database that was put back to an older day by other means than deploy/restore.
    """
    epoch, _ = Epoch.objects.update_or_create(pk=1, defaults={"value": uuid4()})
    return str(epoch.value)


def build_new_epoch_sql() -> str:
    """The same as one SQL statement, for a restore that must not leave a moment between the old data and this."""
    value = uuid4().hex
    return (
        f"INSERT INTO {EPOCH_TABLE} (id, value) VALUES (1, '{value}')"  # noqa: S608  both are ours
        " ON CONFLICT (id) DO UPDATE SET value = excluded.value"
    )
