"""Plain HTTP that reaches the server of WebSockets: health checks, and what a project serves over ASGI only."""

from collections.abc import Awaitable, Callable
from typing import Any, Literal

from channels_stack.pages import find_page

Application = Callable[[Any, Any, Any], Awaitable[None]]


class Http:
    """ASGI application for the scope type http."""

    def __init__(
        self, theirs: Application | None, django_pages: Application, asgi_http: list[str] | Literal["all"]
    ) -> None:
        """Divide requests between two applications.

        Args:
            theirs: What the project serves over HTTP; None where it forgot to.
            django_pages: Django's own handler, in which the stack's middleware is the first.
            asgi_http: The beginnings of the paths that go to theirs, or "all".
        """
        self.theirs = theirs or django_pages
        self.django_pages = django_pages
        self.prefixes = None if asgi_http == "all" else tuple(f"/{path.lstrip('/')}" for path in asgi_http)

    async def __call__(self, scope: dict[str, Any], receive: Any, send: Any) -> None:
        """Serve one request."""
        is_theirs = self.prefixes is None or scope["path"].startswith(self.prefixes)
        if is_theirs and find_page(scope["path"]) is None:
            await self.theirs(scope, receive, send)
        else:
            await self.django_pages(scope, receive, send)
