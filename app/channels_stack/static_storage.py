"""A project's storage of static files, which keeps references to files that the project does not have.

A storage that puts a hash into each name refuses a style sheet that names a file nobody has, such as a source map that
was not copied along. With DEBUG nothing checks that, so a project that was never deployed has such references, and its
collectstatic fails. Here such a reference stays as it is written.
"""

import logging
from functools import cache
from typing import Any

from django.contrib.staticfiles.storage import HashedFilesMixin
from django.utils.module_loading import import_string

logger = logging.getLogger("channels_stack.static_storage")
FACTORY = "channels_stack.static_storage.open_storage"


def open_storage(*, backend: str, **options: Any) -> Any:
    """Return the storage of a class, or of its variant that bears missing files. settings.STORAGES names this function.

    Args:
        backend: the project's own storage class, as module.Class.
        options: its OPTIONS.
    """
    return make_lenient(import_string(backend))(**options)


@cache
def make_lenient(storage: type) -> type:
    """Return a subclass that keeps references to missing files; a class that puts no hash into names stays as it is."""
    if not issubclass(storage, HashedFilesMixin):
        return storage
    return type(f"Lenient{storage.__name__}", (_KeepsMissing, storage), {})


class _KeepsMissing:
    manifest_strict = False  # {% static %} in a template

    def hashed_name(self, name: str, content: Any = None, filename: str | None = None) -> str:
        """Return the name with its hash, or as it is where there is no such file."""
        try:
            hashed: str = super().hashed_name(name, content, filename)  # type: ignore[misc]
        except ValueError as error:
            logger.warning("A reference stays as it is: %s", error)
            return name
        return hashed
