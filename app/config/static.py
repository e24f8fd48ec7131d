"""Static files: named by their content's hash, so that browsers may keep them for ever; served by nginx, or by us."""

from collections.abc import Awaitable, Callable
from functools import cache
from typing import Any
from wsgiref.headers import Headers

from django.conf import settings
from servestatic import ServeStaticASGI
from servestatic.storage import CompressedManifestStaticFilesStorage

Application = Callable[[dict[str, Any], Any, Any], Awaitable[None]]


class HashedStaticFilesStorage(CompressedManifestStaticFilesStorage):
    """Also rewrites the imports between our ES modules: they name each other by hash too."""

    support_js_module_import_aggregation = True


class StaticFiles:
    """In front of the pages, where a platform allows only one process. Behind nginx nobody asks for them here."""

    def __init__(self, pages: Application) -> None:
        self.pages = pages

    async def __call__(self, scope: dict[str, Any], receive: Any, send: Any) -> None:
        asked = scope["path"].startswith(settings.STATIC_URL)
        await (self.files() if asked else self.pages)(scope, receive, send)

    @cache  # noqa: B019  one for each process
    def files(self) -> Application:
        """Look at the folder once, when the first file is asked for: behind nginx it may not even be readable."""
        files: Application = Files(
            self.pages,
            root=settings.STATIC_ROOT,
            prefix=settings.STATIC_URL,
            max_age=300,  # as nginx.conf says for names without a hash
            allow_all_origins=False,
            add_headers_function=no_guessing,
        )
        return files


class Files(ServeStaticASGI):
    FOREVER = 31_536_000  # a year, in seconds, as nginx.conf says


def no_guessing(headers: Headers, path: str, url: str) -> None:
    headers["X-Content-Type-Options"] = "nosniff"
