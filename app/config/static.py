"""Static files, whose names have the hash of their content, and the server for them where there is no nginx."""

from collections.abc import Awaitable, Callable
from functools import cache
from typing import Any
from wsgiref.headers import Headers

from django.conf import settings
from servestatic import ServeStaticASGI
from servestatic.storage import CompressedManifestStaticFilesStorage

Application = Callable[[dict[str, Any], Any, Any], Awaitable[None]]


class HashedStaticFilesStorage(CompressedManifestStaticFilesStorage):
    """Rewrites also the imports between ES modules to names with hashes."""

    support_js_module_import_aggregation = True


class StaticFiles:
    """ASGI middleware that serves static files where a platform allows only one process and has no nginx."""

    def __init__(self, pages: Application) -> None:
        self.pages = pages

    async def __call__(self, scope: dict[str, Any], receive: Any, send: Any) -> None:
        """Answer with a file below STATIC_URL, or let the pages answer."""
        is_file = scope["path"].startswith(settings.STATIC_URL)
        await (self._files() if is_file else self.pages)(scope, receive, send)

    @cache  # noqa: B019  there is one instance in a process
    def _files(self) -> Application:
        """Read the folder once, at the first request for a file: behind nginx it may not be readable."""
        files: Application = Files(
            self.pages,
            root=settings.STATIC_ROOT,
            prefix=settings.STATIC_URL,
            max_age=300,  # seconds, for names without a hash; as in nginx.conf
            allow_all_origins=False,
            add_headers_function=_forbid_sniffing,
        )
        return files


class Files(ServeStaticASGI):
    """Serves the files of a folder."""

    FOREVER = 31_536_000  # a year, in seconds, for names with a hash; as in nginx.conf


def _forbid_sniffing(headers: Headers, path: str, url: str) -> None:
    headers["X-Content-Type-Options"] = "nosniff"
