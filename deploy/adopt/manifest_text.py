"""The stack.toml that `adopt` writes: only what cannot be discovered again, in the order of the manifest's fields."""

import dataclasses
import re
import tomllib
from collections.abc import Iterable
from typing import Any

from deploy.adopt.report import Finding
from deploy.manifest import Manifest
from deploy.manifest_rules import check_name

HEADER = "# What the stack cannot find out by itself. deploy/stack.example.toml explains every field."
DOMAIN_LINE = '# domain = "chat.example.org"'
FALLBACK_NAME = "site"
COMMENTED = ("network", "pins", "ports", "secrets", "variables")
"""Fields whose reason stands beside them: nobody would guess it from the value."""


def make_name(text: str, *others: str) -> str:
    """Return a name for the site, made from the folder's name, or from the first of `others` that can be one."""
    for each in (text, *others):
        name = re.sub(r"[^a-z0-9]+", "-", each.lower()).strip("-")
        name = re.sub(r"^[0-9-]+", "", name)[:30].strip("-")
        if name and not check_name(name):
            return name
    return FALLBACK_NAME


def write_manifest(name: str, fields: dict[str, Any], reasons: dict[str, str]) -> str:
    """Return the text of stack.toml.

    Args:
        name: of the site.
        fields: values by field, as tomllib reads them.
        reasons: why a field has its value, by field.
    """
    lines = [HEADER, f"name = {show(name)}"]
    if "domain" not in fields:
        lines.append(DOMAIN_LINE)
    return "\n".join([*lines, *field_lines(fields, reasons), ""])


def field_lines(fields: dict[str, Any], reasons: dict[str, str] | None = None) -> list[str]:
    """Return the lines of stack.toml for these fields, with the reasons of those that need one."""
    lines: list[str] = []
    tables: list[str] = []
    for field in dataclasses.fields(Manifest):
        if field.name not in fields:
            continue
        value = fields[field.name]
        reason = f"  # {reasons[field.name]}" if reasons and field.name in reasons and field.name in COMMENTED else ""
        if isinstance(value, dict):
            tables += [f"{field.name}.{key} = {show(each)}{reason}" for key, each in value.items()]
        else:
            lines.append(f"{field.name} = {show(value)}{reason}")
    return lines + tables


def show(value: Any) -> str:
    """Return a value as TOML writes it."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    if isinstance(value, list):
        return f"[{', '.join(show(each) for each in value)}]"
    if isinstance(value, dict):
        return f"{{ {', '.join(f'{key} = {show(each)}' for key, each in value.items())} }}"
    text = str(value).replace("\\", "\\\\").replace('"', '\\"')
    return f'"{text}"'


def merge_fields(findings: Iterable[Finding]) -> tuple[dict[str, Any], dict[str, str]]:
    """Return the fields that the findings propose, and for each the place that is its reason."""
    fields: dict[str, Any] = {}
    reasons: dict[str, str] = {}
    for finding in findings:
        if not finding.field or finding.is_settled:
            continue
        for name, value in tomllib.loads(finding.field).items():
            reasons.setdefault(name, finding.place)
            if isinstance(value, list):
                fields[name] = [*fields.get(name, []), *(each for each in value if each not in fields.get(name, []))]
            elif isinstance(value, dict):
                fields[name] = {**value, **fields.get(name, {})}
            else:
                fields.setdefault(name, value)
    return fields, reasons
