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

MAGIC = b"PGDMP"  # the first bytes of a file of pg_dump --format=custom

# Before the data: remember the last ids, then drop every table, those of a later release, too.
BEFORE_DATA = """
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
# After the data: let ids continue after those of before. Running servers remember rooms and users by their ids.
AFTER_DATA = """
SELECT setval(format('public.%I', name)::regclass, greatest(used.last_value, coalesce(now.last_value, 1)))
    FROM ids_used AS used JOIN pg_sequences AS now ON now.schemaname = 'public' AND now.sequencename = used.name;
SET search_path = public;
{final_sql};
COMMIT;
"""


class Failed(Exception):
    """A tool failed; the message names it and has what it wrote to stderr."""


def dump(file: Path) -> None:
    """Write the database into a file of pg_dump's custom format."""
    target = [f"--file={file}", f"--dbname={_database_name()}"]
    _run("pg_dump", "--format=custom", "--no-owner", "--no-privileges", *target)


def verify(file: Path) -> None:
    """Read the whole backup. Raises Failed when it is damaged or cut off."""
    _run("pg_restore", "--file=/dev/null", str(file))


def list_tables(file: Path) -> set[str]:
    """Return the names of the tables whose rows are in the backup."""
    return set(re.findall(r" TABLE DATA public (\S+)", _run("pg_restore", "--list", str(file))))


def restore(file: Path, final_sql: str) -> None:
    """Replace all tables by the backup's and run `final_sql`, in one transaction.

    Queries of running servers wait for its end. Any failure rolls all of it back.

    Raises:
        Failed: pg_restore or psql failed; the database is as it was.
    """
    options = ["--schema=public", "--no-owner", "--no-privileges", "--file=-"]
    reader_command = [_find_program("pg_restore"), *options, str(file)]
    database = f"--dbname={_database_name()}"
    psql = subprocess.Popen(  # noqa: S603  no argument comes from a user of the site
        [_find_program("psql"), "--no-psqlrc", "--quiet", "--set=ON_ERROR_STOP=1", database],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        env=_environment(),
    )
    assert psql.stdin
    try:
        with suppress(BrokenPipeError):  # psql stopped at an error, which it writes to stderr
            _write_script(psql.stdin, reader_command, final_sql)
    finally:
        with suppress(BrokenPipeError):
            psql.stdin.close()  # after a failure psql has not read COMMIT, so the server rolls back
        psql.stdin = None
        _, errors = psql.communicate()
    if psql.returncode != 0:
        raise Failed(f"psql: {errors.decode(errors='replace').strip()}")


def _write_script(into: IO[bytes], reader_command: list[str], final_sql: str) -> None:
    """Write the whole script to psql. COMMIT, its last line, follows only when pg_restore has succeeded."""
    into.write(BEFORE_DATA.encode())
    with subprocess.Popen(reader_command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as reader:  # noqa: S603
        assert reader.stdout
        assert reader.stderr
        shutil.copyfileobj(reader.stdout, into)
        errors = reader.stderr.read().decode(errors="replace")
    if reader.returncode != 0:
        raise Failed(f"pg_restore: {errors.strip()}")
    into.write(AFTER_DATA.format(final_sql=final_sql).encode())


def _run(program: str, *arguments: str) -> str:
    """Run one of PostgreSQL's programs and return its stdout. Raises Failed."""
    done = subprocess.run(  # noqa: S603  no argument comes from a user of the site
        [_find_program(program), *arguments],
        env=_environment(),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        raise Failed(f"{program}: {done.stderr.strip()}")
    return done.stdout


def _find_program(program: str) -> str:
    if path := shutil.which(program):
        return path
    raise Failed(f"{program} is not installed: it comes with the package postgresql-client.")


def _database_name() -> str:
    return str(connection.settings_dict["NAME"])


def _environment() -> dict[str, str]:
    """Return the server's address and password as libpq reads them. Arguments would show them in the process list."""
    settings = connection.settings_dict
    _, more = DatabaseClient.settings_to_cmd_args_env(settings, [])
    own = {"PGHOST": settings["HOST"], "PGPORT": settings["PORT"], "PGUSER": settings["USER"]}
    return os.environ | {name: str(value) for name, value in own.items() if value} | (more or {})
