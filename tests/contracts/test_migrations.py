"""The migrations create the models' tables from nothing, and can be reverted."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from django.core.management import call_command

REPO = Path(__file__).parent.parent.parent
BACK_AND_FORTH = """
import django
django.setup()
from django.core.management import call_command
from django.db import connection
for step in ([], ["chat", "zero"], ["accounts", "zero"], []):
    call_command("migrate", *step, verbosity=0)
    print(*sorted(name for name in connection.introspection.table_names() if name.startswith(("chat_", "accounts_"))))
"""


@pytest.mark.django_db
def test_the_models_have_no_change_without_a_migration():
    call_command("makemigrations", check=True, dry_run=True, verbosity=0)


def test_every_migration_can_be_reverted_and_applied_again(tmp_path):
    environment = {
        **os.environ,
        "PYTHONPATH": str(REPO / "app"),
        "DJANGO_SETTINGS_MODULE": "config.settings",
        "STACK_ENV_FILE": os.devnull,
        "DATABASE_URL": f"sqlite:///{tmp_path}/there-and-back.sqlite3",
    }
    done = subprocess.run(
        [sys.executable, "-c", BACK_AND_FORTH], cwd=REPO, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    made, without_chat, without_anything, again = done.stdout.splitlines()
    assert "chat_message" in made
    assert made == again
    assert "chat_" not in without_chat
    assert "accounts_user" in without_chat
    assert without_anything == ""
