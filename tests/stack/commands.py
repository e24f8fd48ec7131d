"""Commands that run Django in separate processes on a given database: python -m tests.stack.commands VERB ..."""

import json
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from uuid import uuid4

REPO = Path(__file__).parent.parent.parent
THREADS = 4


def start(verb: str, *arguments: str, database: str) -> "subprocess.Popen[str]":
    """Run a verb of this file in a new process; it prints JSON."""
    env = {
        **os.environ,
        "DATABASE_URL": database,
        "DJANGO_SETTINGS_MODULE": "config.settings",
        "PYTHONPATH": f"{REPO / 'app'}:{REPO}",
    }
    return subprocess.Popen(
        [sys.executable, "-m", "tests.stack.commands", verb, *arguments],
        cwd=REPO,
        env=env,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def result(process: "subprocess.Popen[str]") -> object:
    """Wait for a process of `start` and return what it printed."""
    out, errors = process.communicate(timeout=120)
    assert process.returncode == 0, errors
    return json.loads(out)


def migrate(room: str, *names: str) -> list[str]:
    """Create the tables and a room with these users as members. Returns their names."""
    from django.core.management import call_command

    from accounts.models import User
    from chat.services.rooms import join_room

    call_command("migrate", verbosity=0)
    for name in names:
        join_room(slug=room, user=User.objects.create_user(name))
    return list(names)


def post(room: str, name: str, count: str) -> list[int]:
    """Post `count` messages from several threads. Returns the sequence numbers of the stored messages."""
    from django.db import connection

    from accounts.models import User
    from chat.services.messages import post_message

    author = User.objects.get(username=name)

    def post_share(_: int) -> list[int]:
        seqs = [
            post_message(room=room, author=author, body="x", cid=uuid4()).message.seq
            for _ in range(int(count) // THREADS)
        ]
        connection.close()
        return seqs

    with ThreadPoolExecutor(THREADS) as threads:
        return [seq for seqs in threads.map(post_share, range(THREADS)) for seq in seqs]


def watch(room: str, upto: str) -> int:
    """Read the room until message `upto` is visible, and check each time that no earlier message is missing.

    Returns the number of reads.
    """
    from chat.models import Message, Room

    pk = Room.objects.get(slug=room).pk
    reads, newest = 0, 0
    while newest < int(upto):
        seqs = list(Message.objects.filter(room=pk).order_by("seq").values_list("seq", flat=True))
        if seqs:
            newest = seqs[-1]
            assert seqs == list(range(seqs[0], newest + 1)), "a later message was visible before an earlier one"
            head = Room.objects.get(pk=pk).head
            assert head >= newest
            reads += 1
    return reads


if __name__ == "__main__":
    import django

    django.setup()
    print(json.dumps({"migrate": migrate, "post": post, "watch": watch}[sys.argv[1]](*sys.argv[2:])))  # type: ignore[operator]
