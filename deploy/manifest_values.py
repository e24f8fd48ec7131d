"""Turns what tomllib read into dataclasses: their fields and annotations alone say what a manifest may hold."""

import dataclasses
import difflib
import types
import typing
from collections.abc import Iterator
from typing import Any, Literal, Union

from deploy.manifest_rules import KEY_RULES, NUMBER_RULES, RULES
from deploy.toml_lines import KeyPath

MAX_SHOWN = 60  # characters of a wrong value

Problem = tuple[KeyPath, str]
"""Where a value stands, and what is wrong with it. The sentence begins with the name of the field."""


@dataclasses.dataclass
class Conversion:
    """One pass over a file: collects every problem instead of stopping at the first."""

    hidden_fields: frozenset[str] = frozenset()
    """Fields of the outermost dataclass that no file sets."""
    problems: list[Problem] = dataclasses.field(default_factory=list)

    def convert_table(self, kind: type, table: dict[str, object], path: KeyPath) -> dict[str, Any]:
        """Return the arguments of the dataclass `kind` from a TOML table, and note each field that is wrong."""
        annotations = typing.get_type_hints(kind)
        hidden = self.hidden_fields if not path else frozenset()
        fields = {field.name: field for field in dataclasses.fields(kind) if field.name not in hidden}
        arguments = {}
        for key, value in table.items():
            here = (*path, key)
            if key not in fields:
                self._refuse(here, f"unknown field {quote(name_of(here))}{suggest(key, list(fields))}")
                continue
            arguments[key] = self.convert(annotations[key], value, here)
        for name, field in fields.items():
            is_required = field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING
            if is_required and name not in table:
                self._refuse(path, f"{name_of((*path, name))} is missing")
        return arguments

    def convert(self, kind: Any, value: object, path: KeyPath) -> Any:
        """Return `value` as the annotation `kind` wants it. After a problem the returned value is of no use."""
        origin, options = typing.get_origin(kind), typing.get_args(kind)
        if origin in {Union, types.UnionType}:
            return self._convert_union(options, value, path)
        if origin is Literal:
            if value not in options:
                self._refuse_value(path, f"must be {join_choices(options)}", value)
            return value
        if origin is tuple:
            return self._convert_array(options[0], value, path)
        if origin is dict:
            return self._convert_names(options[1], value, path)
        if dataclasses.is_dataclass(kind):
            return self._convert_dataclass(typing.cast("type", kind), value, path)
        return self._convert_scalar(kind, value, path)

    def _convert_union(self, options: tuple[Any, ...], value: object, path: KeyPath) -> Any:
        for option in options:
            wants_array = typing.get_origin(option) is tuple
            if wants_array == isinstance(value, list):
                break
        else:
            option = options[0]
        if typing.get_origin(option) is Literal and value not in typing.get_args(option):
            self._refuse_value(path, f"must be {join_choices(typing.get_args(option))} or an array of strings", value)
            return value
        return self.convert(option, value, path)

    def _convert_array(self, element: Any, value: object, path: KeyPath) -> tuple[Any, ...]:
        if not isinstance(value, list):
            self._refuse_value(path, f"must be an array of {plural_of(element)}", value)
            return ()
        converted = [self.convert(element, each, (*path, position)) for position, each in enumerate(value)]
        for position, each in enumerate(value):
            if each in value[:position]:
                self._refuse((*path, position), f"{name_of(path)} has {show_value(each)} twice")
        return tuple(converted)

    def _convert_names(self, kind: Any, value: object, path: KeyPath) -> dict[str, Any]:
        if not isinstance(value, dict):
            self._refuse_value(path, f"must be a table, [{name_of(path)}]", value)
            return {}
        for key in value:
            rule = KEY_RULES.get(pattern_of(path))
            if rule and (sentence := rule(key)):
                self._refuse((*path, key), f"the name {quote(key)} in {name_of(path)} {sentence}")
        return {key: self.convert(kind, each, (*path, key)) for key, each in value.items()}

    def _convert_dataclass(self, kind: type, value: object, path: KeyPath) -> Any:
        required = [field for field in dataclasses.fields(kind) if field.default is dataclasses.MISSING]
        if isinstance(value, str) and len(required) == 1:  # "npm ci" is short for { run = "npm ci" }
            value = {required[0].name: value}
        if not isinstance(value, dict):
            is_member = len(path) > 1
            wanted = f"a table with {join_words([field.name for field in required])}" if required else "a table"
            self._refuse_value(path, f"must be {wanted if is_member else f'a table, [{name_of(path)}]'}", value)
            return None
        count = len(self.problems)
        arguments = self.convert_table(kind, value, path)
        return kind(**arguments) if len(self.problems) == count else None

    def _convert_scalar(self, kind: type, value: object, path: KeyPath) -> Any:
        if type(value) is not kind:  # True is an int in Python, but not in TOML
            number_rule = NUMBER_RULES.get(pattern_of(path)) if kind is int else None
            self._refuse_value(path, number_rule(-1) if number_rule else f"must be {WANTED[kind]}", value)
            return value
        pattern = pattern_of(path)
        sentence = ""
        if isinstance(value, str) and value:
            if any(not character.isprintable() and character not in "\t\n" for character in value):
                sentence = "must have no control characters"
            elif rule := RULES.get(pattern):
                sentence = rule(value)
        elif isinstance(value, str):
            is_needed = pattern.endswith("[]") or pattern in NEEDED
            sentence = "must not be empty" if is_needed else ""
        elif isinstance(value, int) and (number_rule := NUMBER_RULES.get(pattern)):
            sentence = number_rule(value)
        if sentence:
            self._refuse_value(path, sentence, value)
        return value

    def _refuse_value(self, path: KeyPath, sentence: str, value: object) -> None:
        if value == "" or sentence.startswith("is "):
            shown = "" if value == "" else f" {show_value(value)}"
            self._refuse(path, f"{name_of(path)}{shown} {sentence}")
        else:
            self._refuse(path, f"{name_of(path)} {sentence}, not {show_value(value)}")

    def _refuse(self, path: KeyPath, sentence: str) -> None:
        self.problems.append((path, sentence))


WANTED = {str: "a string", bool: "true or false", int: "a whole number"}
PLURALS = {str: "strings", int: "whole numbers"}
NEEDED = frozenset(
    {"name", "probes[].path", "build[].run", "release[].run", "processes.*.run", "timers.*.run", "timers.*.calendar"}
)


def name_of(path: KeyPath) -> str:
    """Return how a sentence names a value: processes.worker.run, ports[1]."""
    text = ""
    for step in path:
        text += f"[{step}]" if isinstance(step, int) else f".{step}" if text else step
    return text


def pattern_of(path: KeyPath) -> str:
    """Return the path as the tables of rules write it: "[]" for a position, "*" for a name that the project chose."""
    steps = list(path)
    if len(steps) > 1 and steps[0] in {"processes", "timers", "variables", "env"}:
        steps[1] = "*"
    return name_of(tuple(steps)).translate({ord(digit): None for digit in "0123456789"})


def suggest(key: str, known: list[str]) -> str:
    """Return the end of a sentence: the field that was probably meant, or nothing."""
    nearest = difflib.get_close_matches(key.lower().replace("-", "_"), known, 1, 0.6)
    return f"; did you mean {quote(nearest[0])}?" if nearest else ""


def show_value(value: object) -> str:
    """Return a value as TOML writes it, cut if it is long."""
    if isinstance(value, dict):
        return "a table"
    if isinstance(value, list):
        return "an array"
    if isinstance(value, bool):
        return "true" if value else "false"
    text = quote(value) if isinstance(value, str) else str(value)
    return text if len(text) <= MAX_SHOWN else f"{text[: MAX_SHOWN - 1]}…"


def quote(text: str) -> str:
    """Return the text in quotation marks on one line."""
    return '"' + text.replace("\n", "\\n").replace("\r", "\\r") + '"'


def join_choices(choices: tuple[str, ...]) -> str:
    """Return the choices as a sentence lists them: "a", "b" or "c"."""
    *first, last = [quote(choice) for choice in choices]
    return f"{', '.join(first)} or {last}" if first else last


def join_words(words: list[str]) -> str:
    """Return the words as a sentence lists them: a, b and c."""
    *first, last = words
    return f"{', '.join(first)} and {last}" if first else last


def plural_of(kind: Any) -> str:
    """Return what the elements of an array are called."""
    return PLURALS.get(kind, "tables")


def nested_fields(kind: type) -> Iterator[tuple[str, str]]:
    """Yield (field of the outer dataclass, field of the dataclass that it holds)."""
    for name, annotation in typing.get_type_hints(kind).items():
        if dataclasses.is_dataclass(annotation):
            for field in dataclasses.fields(annotation):
                yield name, field.name
