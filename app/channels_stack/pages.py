"""The pages that the stack adds to a project: health checks, metrics, and answers where the project has no page.

These are /livez, /readyz, /metrics, 426 where only WebSockets are served, and / where the project begins elsewhere. A
page of the project at the same address wins. A pattern that takes every address, as single-page applications have it,
is no such page.
"""

from collections.abc import Callable
from typing import Any

from asgiref.sync import iscoroutinefunction, sync_to_async
from django.http import Http404, HttpRequest, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.urls import Resolver404, resolve
from django.utils.decorators import sync_and_async_middleware

from channels_stack import health
from channels_stack.description import load_site
from channels_stack.metrics import metrics
from channels_stack.routes import UNKNOWN_PATH, is_socket_path
from channels_stack.upgrade_probe import upgrade_required

View = Callable[[HttpRequest], HttpResponseBase]
PAGES: dict[str, View] = {"/livez": health.livez, "/readyz": health.readyz, "/metrics": metrics}


@sync_and_async_middleware
def answer_stack_pages(get_response: Callable[[HttpRequest], Any]) -> Callable[[HttpRequest], Any]:
    """Return the middleware. It must stand before all that could redirect or refuse a request: probes use no https."""

    def answer(request: HttpRequest) -> HttpResponseBase | None:
        view = find_page(request.path_info)
        try:
            return view(request) if view else None
        except Http404:
            return None

    def sync_middleware(request: HttpRequest) -> HttpResponseBase:
        found: HttpResponseBase = answer(request) or get_response(request)
        return found

    async def async_middleware(request: HttpRequest) -> HttpResponseBase:
        found = await sync_to_async(answer)(request) if find_page(request.path_info) else None
        response: HttpResponseBase = found or await get_response(request)
        return response

    return async_middleware if iscoroutinefunction(get_response) else sync_middleware


def find_page(path: str) -> View | None:
    """Return the stack's view for a path; None where the project answers."""
    if path in PAGES:
        return None if has_own_page(path) else PAGES[path]
    if path == "/" and _resolve(path) is None and load_site().home != "/":
        return redirect_home
    if is_socket_path(path) and not has_own_page(path):
        return upgrade_required
    return None


def redirect_home(request: HttpRequest) -> HttpResponseBase:
    """Send a visitor of / to where the project begins."""
    return HttpResponseRedirect(load_site().home)


def has_own_page(path: str) -> bool:
    """Whether the project has a page at this very address."""
    found = _resolve(path)
    return found is not None and found != _resolve(UNKNOWN_PATH)


def _resolve(path: str) -> tuple[str, Callable[..., Any]] | None:
    """Return the pattern and the view of an address; None where the project has none."""
    try:
        match = resolve(path)
    except Resolver404:
        return None
    return match.route, match.func
