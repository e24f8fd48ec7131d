"""The release before runs on the tables of this one. See app/channels_stack/backward_compatible.py."""

from io import StringIO

import pytest
from django.apps import apps
from django.conf import settings
from django.core.management import CommandError, call_command
from django.db import connection, migrations, models
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.recorder import MigrationRecorder
from django.db.migrations.state import ModelState, ProjectState
from django.db.models.functions import Lower, Now

from channels_stack.backward_compatible import check_migration, find_problems


def test_all_our_migrations_are_backward_compatible():
    ours = {config.label for config in apps.get_app_configs() if str(settings.REPO) in config.path}
    ours = {label for label in ours if (settings.REPO / "app" / label).is_dir()}
    assert {"accounts", "chat"} <= ours
    loader = MigrationLoader(None)
    names = [name for name in loader.disk_migrations if name[0] in ours]
    # One by one: each may be the first that a site lacks.
    assert [problem for name in names for problem in find_problems(loader, [name])] == []


def problems_of(*operations, **attributes) -> list[str]:
    """The problems of a migration that changes a table of boats."""
    state = ProjectState()
    fields = [
        ("id", models.BigAutoField(primary_key=True)),
        ("name", models.CharField(max_length=50, verbose_name="old")),
        ("sails", models.IntegerField(null=True)),
        ("built", models.DateTimeField(db_default=Now())),
        ("price", models.DecimalField(max_digits=8, decimal_places=2)),
    ]
    state.add_model(ModelState("harbour", "Boat", fields))
    made = type("Migration", (migrations.Migration,), {"operations": list(operations), **attributes})
    return list(check_migration(made("0002_change", "harbour"), state, set()))


def add(field):
    return migrations.AddField("boat", "flag", field)


def alter(name, field):
    return migrations.AlterField("boat", name, field)


BIG = [("id", models.BigAutoField(primary_key=True)), ("code", models.CharField(max_length=9))]
UNSAFE = {
    "drop a table": (migrations.DeleteModel("boat"), "removes a table"),
    "drop a column": (migrations.RemoveField("boat", "name"), "removes a column"),
    "rename a table": (migrations.RenameModel("boat", "ship"), "renames a table"),
    "rename a column": (migrations.RenameField("boat", "name", "title"), "renames a column"),
    "another table's name": (migrations.AlterModelTable("boat", "ships"), "renames a table"),
    "sql": (migrations.RunSQL("DELETE FROM harbour_boat", ""), "only its author"),
    "python": (migrations.RunPython(migrations.RunPython.noop), "only its author"),
    "state apart": (migrations.SeparateDatabaseAndState(), "does not know"),
    "a constraint": (
        migrations.AddConstraint("boat", models.UniqueConstraint(fields=["name"], name="one")),
        "may refuse rows",
    ),
    "not null": (add(models.IntegerField(default=0)), "must be NULL or have a db_default"),
    "unique with a default": (add(models.IntegerField(unique=True, db_default=1)), "is unique and not NULL"),
    "now not null": (alter("sails", models.IntegerField(default=1)), "becomes NOT NULL"),
    "now unique": (alter("name", models.CharField(max_length=50, unique=True)), "becomes unique"),
    "shorter": (alter("name", models.CharField(max_length=49)), "at most 49 characters"),
    "no longer wide": (alter("sails", models.SmallIntegerField(null=True)), "from IntegerField to SmallIntegerField"),
    "another type": (alter("sails", models.TextField(null=True)), "from IntegerField to TextField"),
    "without its default": (alter("built", models.DateTimeField()), "loses its db_default"),
    "another column": (alter("name", models.CharField(max_length=50, db_column="n")), "changes db_column"),
    "fewer digits": (alter("price", models.DecimalField(max_digits=6, decimal_places=2)), "changes max_digits"),
}
SAFE = {
    "a table": migrations.CreateModel("Crew", BIG),
    "null": add(models.IntegerField(null=True)),
    "a default of the database": add(models.IntegerField(db_default=0)),
    "a generated column": add(
        models.GeneratedField(expression=Lower("name"), output_field=models.TextField(), db_persist=True)
    ),
    "many to many": add(models.ManyToManyField("harbour.boat")),
    "an index": migrations.AddIndex("boat", models.Index(fields=["name"], name="by_name")),
    "a constraint less": migrations.RemoveConstraint("boat", "one"),
    "longer": alter("name", models.CharField(max_length=51)),
    "text": alter("name", models.TextField()),
    "now null": alter("name", models.CharField(max_length=50, null=True)),
    "wider": alter("sails", models.BigIntegerField(null=True)),
    "other texts": alter("name", models.CharField(max_length=50, verbose_name="new", help_text="of the boat")),
}


@pytest.mark.parametrize("name", UNSAFE)
def test_an_unsafe_operation_is_refused_with_the_reason(name: str):
    operation, reason = UNSAFE[name]
    (problem,) = problems_of(operation)
    assert reason in problem


@pytest.mark.parametrize("name", SAFE)
def test_a_safe_operation_is_accepted(name: str):
    operation = SAFE[name]
    if isinstance(operation, migrations.RemoveConstraint):
        given = models.UniqueConstraint(fields=["name"], name="one")
        (problem,) = problems_of(migrations.AddConstraint("boat", given), operation)
        assert "Create constraint" in problem
    else:
        assert problems_of(operation) == []


def test_a_table_that_the_migration_creates_may_be_changed_in_any_way():
    unique = models.UniqueConstraint(fields=["code"], name="one_code")
    field = migrations.AddField("crew", "boat", models.ForeignKey("harbour.boat", models.CASCADE))
    assert problems_of(migrations.CreateModel("Crew", BIG), field, migrations.AddConstraint("crew", unique)) == []


def test_a_sentence_makes_a_migration_safe_and_two_words_do_not():
    gone = migrations.RemoveField("boat", "name")
    assert problems_of(gone, safe_because="No release since 0.4 reads it.") == []
    assert problems_of(gone, harmless_because="No release since 0.4 reads it.") == []  # the old name
    assert len(problems_of(gone, safe_because="trust me")) == 1
    assert problems_of(gone, initial=True) == []


@pytest.mark.django_db
def test_the_command_checks_unapplied_migrations_and_names_what_it_refuses():
    out = StringIO()
    call_command("check_migrations", stdout=out)
    assert out.getvalue() == "0 migrations to apply, all of them backward compatible.\n"

    MigrationRecorder(connection).migration_qs.filter(app="auth", name__gte="0011").delete()
    refused = "auth.0011_update_proxy_permissions"
    with pytest.raises(
        CommandError, match=f"^{refused}: Raw Python operation: it has an effect that only its author can judge.$"
    ):
        call_command("check_migrations")
    call_command("check_migrations", accept=[refused], stdout=out)
    assert out.getvalue().endswith("2 migrations to apply, all of them backward compatible.\n")


@pytest.mark.django_db
def test_an_app_that_is_new_to_the_site_may_have_any_migrations():
    MigrationRecorder(connection).migration_qs.filter(app="socialaccount").delete()
    out = StringIO()
    call_command("check_migrations", stdout=out)
    assert out.getvalue() == "6 migrations to apply, all of them backward compatible.\n"

    MigrationRecorder(connection).record_applied("socialaccount", "0001_initial")
    with pytest.raises(CommandError, match=r"^socialaccount\.0004_\S+ Add field"):
        call_command("check_migrations")


@pytest.mark.django_db
def test_a_new_database_has_no_release_before():
    MigrationRecorder(connection).migration_qs.all().delete()
    out = StringIO()
    call_command("check_migrations", stdout=out)
    assert out.getvalue() == "The database is new: there is no release before.\n"


@pytest.mark.django_db
def test_the_old_name_of_the_command_works_and_says_the_new_one():
    out, warnings = StringIO(), StringIO()
    call_command("additive", stdout=out, stderr=warnings)
    assert out.getvalue() == "0 migrations to apply, all of them backward compatible.\n"
    assert warnings.getvalue() == "additive is now called check_migrations; the next release has only that name.\n"
