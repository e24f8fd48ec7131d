"""A project's settings on their way through the overlay, and a record of each change that is safe to print."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

MAX_SHOWN_CHARACTERS = 160
PASSWORD_IN_URL = re.compile(r"(?<=://)[^/@\s'\"]*@")
SECRET_NAME = re.compile(r"SECRET|PASSWORD|PASSWD|TOKEN|KEY\b|CREDENTIAL", re.IGNORECASE)
UNSET = object()


@dataclass(frozen=True)
class Override:
    """One setting that the overlay replaced. `before` and `after` are texts without passwords; `why` is a sentence."""

    name: str
    before: str
    after: str
    why: str

    def __str__(self) -> str:
        return f"{self.name}: {self.before} -> {self.after}. {self.why}"


class Changes:
    """A project's settings on their way through the overlay, and a record of each change."""

    def __init__(self, settings: Mapping[str, Any]) -> None:
        self.settings = dict(settings)
        self.overrides: list[Override] = []

    def get(self, name: str, default: Any = None) -> Any:
        """Return the value of a setting as it is now."""
        return self.settings.get(name, default)

    def set(self, name: str, value: Any, why: str, *, before: str = "", after: str = "") -> None:
        """Replace a setting and record it, unless it has that value already.

        Args:
            name: The setting.
            value: Its new value.
            why: A sentence for the operator.
            before: What the record shows instead of the old value.
            after: What the record shows instead of the new value.
        """
        old = self.settings.get(name, UNSET)
        if old is not UNSET and type(old) is type(value) and old == value:
            return
        self.settings[name] = value
        self.overrides.append(Override(name, before or show_value(name, old), after or show_value(name, value), why))

    def define(self, name: str, value: Any) -> None:
        """Give a setting of the stack's own a value, where the project has none of that name. Nothing is recorded."""
        self.settings.setdefault(name, value)


def show_value(name: str, value: Any) -> str:
    """Return a setting's value as a short text without secrets."""
    if value is UNSET:
        return "not set"
    if SECRET_NAME.search(name):
        return "(secret)"
    text = PASSWORD_IN_URL.sub("***@", repr(_mask(value)))
    return text if len(text) <= MAX_SHOWN_CHARACTERS else text[: MAX_SHOWN_CHARACTERS - 3] + "..."


def _mask(value: Any) -> Any:
    if isinstance(value, dict):
        return {
            key: "(secret)" if SECRET_NAME.search(str(key)) and item else _mask(item) for key, item in value.items()
        }
    if isinstance(value, list):
        return [_mask(item) for item in value]
    return value
