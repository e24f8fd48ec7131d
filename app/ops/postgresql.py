"""Backups of PostgreSQL, by its own tools: pg_dump, pg_restore and psql."""

import os
import re
import shutil
import subprocess
from contextlib import suppress
from pathlib import Path
from typing import IO

from django.db import connection
from django.db.backends.postgresql.client import DatabaseClient

MAGIC = b"PGDMP"  # how a file of pg_dump -Fc begins

# Before: remember how far ids have come, then make room. Tables that a later release has added go, too.
MAKE_ROOM = """
BEGIN;
SET LOCAL lock_timeout = '60s';
CREATE TEMPORARY TABLE ids_used ON COMMIT DROP AS
    SELECT sequencename::text AS name, last_value FROM pg_sequences
    WHERE schemaname = 'public' AND last_value IS NOT NULL;
DO $$
DECLARE found record;
BEGIN
    FOR found IN SELECT tablename FROM pg_tables WHERE schemaname = 'public' LOOP
        EXECUTE format('DROP TABLE public.%I CASCADE', found.tablename);
    END LOOP;
END $$;
"""
# After: no id is given out twice. Live servers still remember rooms and people by the ids of what was here.
COMMIT = """
SELECT setval(format('public.%I', name)::regclass, greatest(used.last_value, coalesce(now.last_value, 1)))
    FROM ids_used AS used JOIN pg_sequences AS now ON now.schemaname = 'public' AND now.sequencename = used.name;
SET search_path = public;
{also};
COMMIT;
"""


class Failed(Exception):
    """What the tool has said."""


def dump(file: Path) -> None:
    run("pg_dump", "--format=custom", "--no-owner", "--no-privileges", f"--file={file}", f"--dbname={database()}")


def check(file: Path) -> None:
    """Read all of it."""
    run("pg_restore", "--file=/dev/null", str(file))


def tables(file: Path) -> set[str]:
    """Whose rows it holds."""
    return set(re.findall(r" TABLE DATA public (\S+)", run("pg_restore", "--list", str(file))))


def restore(file: Path, also: str) -> None:
    """One transaction: who reads meanwhile waits for its end, and any failure takes all of it back."""
    script = [tool("pg_restore"), "--schema=public", "--no-owner", "--no-privileges", "--file=-", str(file)]
    command = [tool("psql"), "--no-psqlrc", "--quiet", "--set=ON_ERROR_STOP=1", f"--dbname={database()}"]
    psql = subprocess.Popen(  # noqa: S603  our own words
        command,
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        env=environment(),
    )
    assert psql.stdin
    try:
        with suppress(BrokenPipeError):  # psql has met an error; its own words say which
            feed(psql.stdin, script, also)
    finally:
        with suppress(BrokenPipeError):
            psql.stdin.close()  # if the COMMIT has not been said, all is taken back
        psql.stdin = None
        _, said = psql.communicate()
    if psql.returncode != 0:
        raise Failed(f"psql: {said.decode(errors='replace').strip()}")


def feed(into: IO[bytes], script: list[str], also: str) -> None:
    """The whole script to psql; its last word, COMMIT, only if every word before it was there."""
    into.write(MAKE_ROOM.encode())
    with subprocess.Popen(script, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as reader:  # noqa: S603
        assert reader.stdout
        assert reader.stderr
        shutil.copyfileobj(reader.stdout, into)
        said = reader.stderr.read().decode(errors="replace")
    if reader.returncode != 0:
        raise Failed(f"pg_restore: {said.strip()}")
    into.write(COMMIT.format(also=also).encode())


def run(program: str, *arguments: str) -> str:
    done = subprocess.run(  # noqa: S603  our own words
        [tool(program), *arguments],
        env=environment(),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        raise Failed(f"{program}: {done.stderr.strip()}")
    return done.stdout


def tool(program: str) -> str:
    if found := shutil.which(program):
        return found
    raise Failed(f"{program} is not installed: it comes with the package postgresql-client.")


def database() -> str:
    return str(connection.settings_dict["NAME"])


def environment() -> dict[str, str]:
    """The server's address and password as libpq reads them; not as arguments, which everybody can list."""
    settings = connection.settings_dict
    _, more = DatabaseClient.settings_to_cmd_args_env(settings, [])
    own = {"PGHOST": settings["HOST"], "PGPORT": settings["PORT"], "PGUSER": settings["USER"]}
    return os.environ | {name: str(value) for name, value in own.items() if value} | (more or {})
