"""Checks that migrations are backward compatible: the release before must run on the new tables.

It does so during a rollout, and after a rollback. Nothing that it reads or writes may be removed, renamed or made
stricter, and the rows that it inserts must not need what is new. A column is removed one release after the code that
used it. A migration that is safe for a reason that this module cannot see says so in an attribute:

    safe_because = "No release since 0.4 reads the column."

Why django-migration-linter does not do this: it reads the SQL. SQLite's is the same for every altered field (the table
is made anew), so it refuses all of them; of PostgreSQL's it refuses a longer CharField, and accepts raw SQL, a unique
column with a default, and a column that loses its default.
"""

from collections.abc import Iterable, Iterator
from typing import Any

from django.db import migrations
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.migration import Migration
from django.db.migrations.operations.base import Operation
from django.db.migrations.state import ProjectState
from django.db.models import NOT_PROVIDED

SAFE = (
    migrations.CreateModel,
    migrations.AddIndex,
    migrations.RemoveIndex,
    migrations.RenameIndex,
    migrations.RemoveConstraint,
    migrations.AlterModelOptions,
    migrations.AlterModelManagers,
)
# Each completes the sentence "<operation>: it ...". An operation that is neither here nor in SAFE is unsafe as well.
UNSAFE: dict[type[Operation], str] = {
    migrations.DeleteModel: "removes a table that the release before uses",
    migrations.RemoveField: "removes a column that the release before uses",
    migrations.RenameModel: "renames a table that the release before uses",
    migrations.RenameField: "renames a column that the release before uses",
    migrations.AlterModelTable: "renames a table that the release before uses",
    migrations.AddConstraint: "may refuse rows that exist, or that the release before writes",
    migrations.AlterUniqueTogether: "may refuse rows that exist, or that the release before writes",
    migrations.RunSQL: "has an effect that only its author can judge",
    migrations.RunPython: "has an effect that only its author can judge",
}
UNKNOWN_OPERATION = "is of a kind that this check does not know"
# Every value of a type fits into each later type of its row.
WIDENING_TYPES = (
    ("SmallIntegerField", "IntegerField", "BigIntegerField"),
    ("PositiveSmallIntegerField", "PositiveIntegerField", "PositiveBigIntegerField"),
    ("SlugField", "CharField", "TextField"),
)
# These options of a field do not reach the database, or make it only more permissive or faster.
IGNORED_OPTIONS = {
    *("auto_created", "auto_now", "auto_now_add", "blank", "choices", "db_comment", "db_index", "default", "editable"),
    *("error_messages", "help_text", "limit_choices_to", "on_delete", "related_name", "related_query_name"),
    *("serialize", "validators", "verbose_name"),
}
JUDGED_OPTIONS = {"null", "unique", "db_default", "max_length"}
MIN_REASON_WORDS = 4  # of safe_because: "trust me" is no reason


def find_problems(loader: MigrationLoader, names: Iterable[tuple[str, str]]) -> list[str]:
    """Return one sentence for each reason why these migrations are not backward compatible.

    Args:
        loader: Knows all migrations.
        names: (app label, migration name), in the order in which they will be applied.
    """
    new_models: set[tuple[str, str]] = set()
    return [
        f"{app}.{name}: {problem}."
        for app, name in names
        for problem in check_migration(
            loader.get_migration(app, name), loader.project_state((app, name), at_end=False), new_models
        )
    ]


def check_migration(migration: Migration, state: ProjectState, new_models: set[tuple[str, str]]) -> Iterator[str]:
    """Yield why a migration is not backward compatible, as "<operation>: it <reason>".

    Args:
        migration: An initial migration, or one with a `safe_because`, has no problems.
        state: The state from which the migration starts. It is changed to the one in which the migration ends.
        new_models: (app label, model name in lower case) of models that the release before does not know. The models
            that this migration creates are added.
    """
    app = migration.app_label
    is_accepted = migration.initial or _has_reason(migration)
    for operation in migration.operations:
        if isinstance(operation, migrations.CreateModel):
            new_models.add((app, operation.name_lower))
        elif not is_accepted and (app, _model_name(operation)) not in new_models:
            for reason in check_operation(operation, app, state):
                yield f"{operation.describe()}: it {reason}"
        operation.state_forwards(app, state)


def _has_reason(migration: Migration) -> bool:
    # `harmless_because` is the attribute's name in the release before.
    reason = getattr(migration, "safe_because", None) or getattr(migration, "harmless_because", "")
    return len(str(reason).split()) >= MIN_REASON_WORDS


def _model_name(operation: Operation) -> str | None:
    """Return the model that the operation changes, or whose columns, indexes or constraints it changes."""
    name: str | None = getattr(operation, "model_name_lower", None) or getattr(operation, "name_lower", None)
    return name


def check_operation(operation: Operation, app: str, state: ProjectState) -> Iterator[str]:
    """Yield why an operation is not backward compatible; `state` is the one before it."""
    if isinstance(operation, migrations.AddField):
        yield from check_new_field(operation.field)
    elif isinstance(operation, migrations.AlterField):
        old_field = state.models[app, operation.model_name_lower].fields[operation.name]
        yield from check_altered_field(old_field, operation.field)
    elif not isinstance(operation, SAFE):
        yield UNSAFE.get(type(operation), UNKNOWN_OPERATION)


def check_new_field(field: Any) -> Iterator[str]:
    """Yield why a new field is not backward compatible."""
    has_value = field.null or field.has_db_default() or getattr(field, "generated", False)
    if not (has_value or field.many_to_many):
        yield "must be NULL or have a db_default: the release before inserts rows without it"
    if field.unique and not field.null:
        yield "is unique and not NULL: the second row that the release before inserts would be refused"


def check_altered_field(old: Any, new: Any) -> Iterator[str]:
    """Yield why a change of a field is not backward compatible."""
    old_options, new_options = (field.deconstruct()[3] for field in (old, new))
    old_type, new_type = old.get_internal_type(), new.get_internal_type()
    if old_type != new_type and not any(
        {old_type, new_type} <= set(row) and row.index(old_type) < row.index(new_type) for row in WIDENING_TYPES
    ):
        yield f"changes the type from {old_type} to {new_type}"
    changed = {
        option
        for option in old_options.keys() | new_options.keys()
        if old_options.get(option) != new_options.get(option)
    } - IGNORED_OPTIONS
    if "null" in changed and not new.null:
        yield "becomes NOT NULL: the release before may write NULL"
    if "unique" in changed and new.unique:
        yield "becomes unique: the release before may write a value twice"
    if "db_default" in changed and new.db_default is NOT_PROVIDED and not new.null:
        yield "loses its db_default: the release before inserts rows without a value"
    if "max_length" in changed and (
        new.max_length is not None and (old.max_length or new.max_length + 1) > new.max_length
    ):
        yield f"becomes shorter: at most {new.max_length} characters"
    if unknown := changed - JUDGED_OPTIONS:
        yield f"changes {', '.join(sorted(unknown))}, which this check does not know"
