"""Loads the applications of the site's project, after Django is set up."""

import importlib
import logging
import os
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

import django
from django.conf import settings
from django.db.backends.signals import connection_created

from channels_stack.changes import Override

PRINTED_VARIABLE = "OVERRIDES_PRINTED"

logger = logging.getLogger(__name__)


def set_up() -> None:
    """Set Django up, and time each SQL statement from now on. Must come before the first import of the project."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "channels_stack.settings")
    django.setup()
    from channels_stack.metrics import time_statements  # noqa: PLC0415  metrics are read from the settings

    connection_created.connect(time_statements)


@cache
def log_overrides() -> None:
    """Write one line for each setting that the overlay replaced, unless the command `run` printed them already."""
    if PRINTED_VARIABLE in os.environ:
        return
    overrides: list[Override] = settings.STACK_OVERRIDES  # type: ignore[misc]  # a setting that overlay.py adds
    for override in overrides:
        logger.info("The stack sets %s", override)


def load(path: str) -> Any:
    """Import an application, given as module:attribute.

    Raises:
        ImportError: The module or the attribute does not exist.
        Exception: Whatever the project's module raises.
    """
    module_name, _, attribute = path.partition(":")
    with _unchanged_settings_variable():
        module = importlib.import_module(module_name)
    try:
        return getattr(module, attribute)
    except AttributeError as error:
        raise ImportError(f"{module_name} has no attribute {attribute!r}") from error


def explain(error: BaseException) -> str:
    """Return an error as one line, with the line of the project (in the working directory) that it came from."""
    root = Path.cwd()
    place = ""
    frames = traceback.extract_tb(error.__traceback__)
    if isinstance(error, SyntaxError) and error.filename:
        frames.append(traceback.FrameSummary(error.filename, error.lineno or 0, ""))
    for frame in frames:
        file = Path(frame.filename)
        if file.is_relative_to(root) and "site-packages" not in file.parts:
            place = f" ({file.relative_to(root)}:{frame.lineno})"
    return f"{type(error).__name__}: {' '.join(str(error).split())}{place}"


@contextmanager
def _unchanged_settings_variable() -> Iterator[None]:
    """Undo what a project's module does to DJANGO_SETTINGS_MODULE: processes that this one starts inherit it."""
    before = os.environ["DJANGO_SETTINGS_MODULE"]
    try:
        yield
    finally:
        os.environ["DJANGO_SETTINGS_MODULE"] = before
