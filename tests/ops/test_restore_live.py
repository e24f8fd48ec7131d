"""A restore while clients are connected: every client has the messages of the backup afterwards."""

import json

from tests.ops.conftest import operator
from tests.running import Stack

EVERYTHING = """
import io
from django.core.management import call_command
out = io.StringIO()
call_command("dumpdata", "chat.room", "chat.message", "chat.membership", "accounts.user", stdout=out, verbosity=0)
print(out.getvalue())
"""
DROP = """
from django.db import connection
with connection.cursor() as cursor:
    if connection.vendor == "sqlite":
        cursor.execute("PRAGMA foreign_keys = OFF")
    for table in connection.introspection.table_names():
        cursor.execute(f'DROP TABLE "{table}"' + (" CASCADE" if connection.vendor == "postgresql" else ""))
"""
FAIL_AT_THE_END = """
import sys
from pathlib import Path
from channels_stack import backups
try:
    backups.restore_backup(Path(sys.argv[1]), required_table="chat_epoch", final_sql="INSERT INTO nowhere VALUES (1)")
except backups.RestoreError as error:
    print(error)
"""


def everything(live: Stack) -> list[object]:
    return sorted(json.loads(live.run_python(EVERYTHING)), key=lambda row: (row["model"], row["pk"]))


async def test_after_a_restore_every_client_has_the_messages_of_the_backup(live: Stack, tmp_path, slug: str):
    run = operator(live.settings_environment())
    (cookie,) = live.people("ann")
    async with await live.connect(cookie) as client:
        await client.join(slug)
        for number in range(5):
            await client.post(slug, f"kept {number}")
        before = everything(live)
        made = run("backup", tmp_path)
        assert made.returncode == 0, made.stderr
        (file,) = tmp_path.glob("parley-*.dump")
        await client.post(slug, "lost")
        await client.join(f"{slug}-lost")
        known = client.rooms[slug]

        live.run_python(DROP)
        done = run("restore", file, "--noinput")
        assert done.returncode == 0, done.stderr
        assert everything(live) == before
        assert await client.wait_closed() == 4510
        assert client.frames[-1]["reconnect_in"] is not None

    old = known.epoch
    async with await live.connect(cookie) as client:
        client.rooms[slug] = known
        joined = await client.join(slug, resume=True)
        assert (joined["recovered"], joined["epoch"] == old) == (False, False)
        assert [message["body"] for message in known.visible] == [f"kept {number}" for number in range(5)]
        await client.post(slug, "after")
        await client.wait_for_message(slug, "after")


async def test_a_room_that_is_not_in_the_backup_can_be_created_again(live: Stack, tmp_path, slug: str):
    run = operator(live.settings_environment())
    (cookie,) = live.people("ann")
    assert run("backup", tmp_path).returncode == 0
    (file,) = tmp_path.glob("parley-*.dump")
    async with await live.connect(cookie) as client:
        await client.join(slug)
        lost = (await client.post(slug, "lost"))["message"]
        assert run("restore", file, "--noinput").returncode == 0
        assert await client.wait_closed() == 4510
    for _ in range(2):  # over either server, sooner or later
        async with await live.connect(cookie) as client:
            await client.join(slug)
            posted = (await client.post(slug, "anew"))["message"]
            await client.wait_for_message(slug, "anew")
            assert posted["id"] > lost["id"]  # running servers know the old ids, so none is used again


async def test_a_failed_restore_changes_nothing(live: Stack, tmp_path, slug: str):
    run = operator(live.settings_environment())
    (cookie,) = live.people("ann")
    async with await live.connect(cookie) as client:
        await client.join(slug)
        assert run("backup", tmp_path).returncode == 0
        (file,) = tmp_path.glob("parley-*.dump")
        await client.post(slug, "not in the backup")
        before = everything(live)

        assert "nowhere" in live.run_python(FAIL_AT_THE_END, str(file))
        assert everything(live) == before

        cut = tmp_path / "cut.dump"
        cut.write_bytes(file.read_bytes()[:-2000])
        done = run("restore", cut, "--noinput")
        assert done.returncode == 1
        assert done.stderr.startswith("CommandError: Nothing was changed. ")
        assert everything(live) == before

        await client.post(slug, "still here")  # no socket was closed
        await client.wait_for_message(slug, "still here")


async def test_a_new_epoch_makes_every_client_reload(live: Stack, slug: str):
    (cookie,) = live.people("ann")
    async with await live.connect(cookie) as client:
        await client.join(slug)
        live.run_python("from django.core.management import call_command; call_command('new_epoch')")
        assert await client.wait_closed() == 4510
