"""deploy/stack.example.toml is the documentation of the manifest: every field, nothing else, with its true default."""

import dataclasses
import re
import tomllib
import typing
from pathlib import Path
from typing import Any

import pytest

from deploy.manifest import SET_BY_THE_TOOLS, Manifest, Process, Timer, read_manifest

EXAMPLE = Path(__file__).parents[2] / "deploy" / "stack.example.toml"
TEXT = EXAMPLE.read_text()
DOCUMENT = tomllib.loads(TEXT)
FIELDS = {field.name: field for field in dataclasses.fields(Manifest) if field.name not in SET_BY_THE_TOOLS}
TABLES = [name for name in FIELDS if dataclasses.is_dataclass(typing.get_type_hints(Manifest)[name])]


def default_of(field: dataclasses.Field[Any]) -> Any:
    if field.default_factory is not dataclasses.MISSING:
        return field.default_factory()
    return field.default


def comment_above(line: str) -> str:
    """Return the comment that stands directly above a line, as one text."""
    before = TEXT[: TEXT.index(f"\n{line}") + 1].splitlines()
    block: list[str] = []
    while before and before[-1].startswith("#"):
        block.insert(0, before.pop().removeprefix("#").strip())
    return " ".join(block)


def written_default(comment: str) -> Any:
    match = re.search(r'Default(?: of each)?: ("[^"]*"|\[\]|\{\}|[\w.]+?)(?=[.,]? |[.,]?$)', comment)
    assert match, comment
    return tomllib.loads(f"x = {match[1]}")["x"]


def test_the_reader_accepts_it() -> None:
    assert read_manifest(EXAMPLE).name == "mysite"


def test_it_has_every_field_and_nothing_else() -> None:
    assert DOCUMENT.keys() == FIELDS.keys()
    for table in TABLES:
        assert DOCUMENT[table].keys() == {field.name for field in dataclasses.fields(FIELDS[table].type)}, table  # type: ignore[arg-type]
    assert DOCUMENT["processes"]["worker"].keys() == {field.name for field in dataclasses.fields(Process)}
    assert DOCUMENT["timers"]["old-rooms"].keys() == {field.name for field in dataclasses.fields(Timer)}


def test_no_value_is_the_default() -> None:
    """A reader sees the effect of each field."""
    manifest = read_manifest(EXAMPLE)
    assert [name for name, field in FIELDS.items() if getattr(manifest, name) == default_of(field)] == []


@pytest.mark.parametrize("name", [name for name in FIELDS if name not in {"name", *TABLES}])
def test_the_comment_of_a_field_names_its_default(name: str) -> None:
    line = next(line for line in TEXT.splitlines() if re.match(rf"{name} = |\[{name}(?:\.[\w-]+)?\]", line))
    default = default_of(FIELDS[name])
    expected = list(default) if isinstance(default, tuple) else default
    assert written_default(comment_above(line)) == expected


@pytest.mark.parametrize("name", TABLES)
def test_the_comment_of_a_table_names_the_default_of_its_fields(name: str) -> None:
    default = written_default(comment_above(f"[{name}]"))
    assert {getattr(default_of(FIELDS[name]), field.name) for field in dataclasses.fields(FIELDS[name].type)} == {
        default
    }  # type: ignore[arg-type]


@pytest.mark.parametrize(("kind", "table"), [(Process, "processes.worker"), (Timer, "timers.old-rooms")])
def test_the_fields_of_processes_and_timers_name_their_defaults(kind: type, table: str) -> None:
    section = TEXT.split(f"[{table}]\n", 1)[1].split("\n\n", 1)[0]
    for field in dataclasses.fields(kind):
        line = next(line for line in section.splitlines() if line.startswith(f"{field.name} = "))
        if field.default is not dataclasses.MISSING:
            assert written_default(line.partition("#")[2]) == field.default


def test_its_lines_are_short_enough_to_read() -> None:
    assert max(len(line) for line in TEXT.splitlines()) <= 120
