"""Migrations must be additive: during a rollout, and after a rollback, the release before runs on the new tables.

So nothing that it reads or writes may go, change its name or become stricter, and what is new must not be needed by
rows that it inserts. What has to go, goes a release after the code that used it. Such a migration, and one whose effect
only its author can judge, carries a sentence: `harmless_because = "No release since 0.4 reads the column."`
"""

from collections.abc import Iterable, Iterator
from typing import Any

from django.db import migrations
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.migration import Migration
from django.db.migrations.operations.base import Operation
from django.db.migrations.state import ProjectState
from django.db.models import NOT_PROVIDED

HARMLESS = (
    migrations.CreateModel,
    migrations.AddIndex,
    migrations.RemoveIndex,
    migrations.RenameIndex,
    migrations.RemoveConstraint,
    migrations.AlterModelOptions,
    migrations.AlterModelManagers,
)
# Operations that stand neither here nor in HARMLESS are refused as well: nobody has thought about them.
HARMFUL: dict[type[Operation], str] = {
    migrations.DeleteModel: "takes a table from the release before",
    migrations.RemoveField: "takes a column from the release before",
    migrations.RenameModel: "renames a table under the release before",
    migrations.RenameField: "renames a column under the release before",
    migrations.AlterModelTable: "renames a table under the release before",
    migrations.AddConstraint: "may refuse rows that are there, or that the release before writes",
    migrations.AlterUniqueTogether: "may refuse rows that are there, or that the release before writes",
    migrations.RunSQL: "does what only its author can judge",
    migrations.RunPython: "does what only its author can judge",
}
# From each type to any later one of its row, every value fits.
WIDER = (
    ("SmallIntegerField", "IntegerField", "BigIntegerField"),
    ("PositiveSmallIntegerField", "PositiveIntegerField", "PositiveBigIntegerField"),
    ("SlugField", "CharField", "TextField"),
)
# Of a field's options these never reach the database, or only make it more permissive or faster.
FREE = {
    *("auto_created", "auto_now", "auto_now_add", "blank", "choices", "db_comment", "db_index", "default", "editable"),
    *("error_messages", "help_text", "limit_choices_to", "on_delete", "related_name", "related_query_name"),
    *("serialize", "validators", "verbose_name"),
}


def refusals(loader: MigrationLoader, names: Iterable[tuple[str, str]]) -> list[str]:
    """Why these migrations (app, name), in their order, are not additive: a sentence for each reason."""
    new: set[tuple[str, str]] = set()
    return [
        f"{app}.{name}: {reason}."
        for app, name in names
        for reason in reasons(loader.get_migration(app, name), loader.project_state((app, name), at_end=False), new)
    ]


def reasons(migration: Migration, state: ProjectState, new: set[tuple[str, str]]) -> Iterator[str]:
    """`state` is the one that the migration starts from; it is changed on the way.

    `new`: models (app, name) that the release before does not know, as this migration and those before it make them.
    """
    app = migration.app_label
    judged = migration.initial or len(str(getattr(migration, "harmless_because", "")).split()) > 3
    for operation in migration.operations:
        if isinstance(operation, migrations.CreateModel):
            new.add((app, operation.name_lower))
        elif not judged and (app, _model(operation)) not in new:
            for reason in of_operation(operation, app, state):
                yield f"{operation.describe()}: it {reason}"
        operation.state_forwards(app, state)


def _model(operation: Operation) -> str | None:
    """Whose columns, indexes or constraints it is about; or what it does to a model itself."""
    name: str | None = getattr(operation, "model_name_lower", None) or getattr(operation, "name_lower", None)
    return name


def of_operation(operation: Operation, app: str, state: ProjectState) -> Iterator[str]:
    if isinstance(operation, migrations.AddField):
        yield from of_new_field(operation.field)
    elif isinstance(operation, migrations.AlterField):
        yield from of_changed_field(
            state.models[app, operation.model_name_lower].fields[operation.name], operation.field
        )
    elif not isinstance(operation, HARMLESS):
        yield HARMFUL.get(type(operation), "is of a kind that nobody has judged")


def of_new_field(field: Any) -> Iterator[str]:
    filled = field.null or field.has_db_default() or getattr(field, "generated", False)
    if not (filled or field.many_to_many):
        yield "must be NULL or have a db_default: the release before inserts rows without it"
    if field.unique and not field.null:
        yield "is unique and not NULL: the second row that the release before inserts would be refused"


def of_changed_field(old: Any, new: Any) -> Iterator[str]:
    before, after = (field.deconstruct()[3] for field in (old, new))
    types = old.get_internal_type(), new.get_internal_type()
    if types[0] != types[1] and not any(
        set(types) <= set(row) and row.index(types[0]) < row.index(types[1]) for row in WIDER
    ):
        yield f"changes the type from {types[0]} to {types[1]}"
    changed = {name for name in before.keys() | after.keys() if before.get(name) != after.get(name)} - FREE
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
    if judged_not := changed - {"null", "unique", "db_default", "max_length"}:
        yield f"changes {', '.join(sorted(judged_not))}, which nobody has judged"
