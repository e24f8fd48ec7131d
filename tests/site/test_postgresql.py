"""A project whose settings name a SQLite file runs on the site's PostgreSQL, and is backed up and restored there."""

from pathlib import Path

from tests.site import tutorial

MODELS = """
from django.db import models


class Message(models.Model):
    text = models.CharField(max_length=100)
"""
IMPORT = "from chat.models import Message"


def test_the_project_runs_on_postgresql(make_project, postgres):
    project = make_project(tutorial.with_files(chat__models=MODELS))
    project.environment["DATABASE_URL"] = postgres.url("guest")
    project.environment["PATH"] = f"{postgres.bin}:{project.environment['PATH']}"
    project.migrate()
    engine = project.evaluate("settings.DATABASES['default']['ENGINE']")
    assert engine == "django.db.backends.postgresql"
    project.evaluate("Message.objects.create(text='kept').pk", IMPORT)

    folder = project.state / "backups"
    folder.mkdir()
    dump = Path(project.run("-m", "channels_stack.backup", str(folder)).stdout.split(" (")[0])
    project.evaluate("Message.objects.create(text='later').pk", IMPORT)
    project.run("-m", "channels_stack.restore", str(dump), "--noinput")
    assert project.evaluate("list(Message.objects.values_list('text', flat=True))", IMPORT) == ["kept"]
    # A new row gets an id that none had before: a server may remember the row that the restore removed.
    assert project.evaluate("Message.objects.create(text='new').pk", IMPORT) == 3

    with project.pages() as server:
        assert server.get("/readyz").json()["database"] == "ok"
