"""Every HTTP request is counted by its outcome."""

import time
from collections.abc import Callable
from typing import Any

from asgiref.sync import iscoroutinefunction
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.utils.decorators import sync_and_async_middleware

from ops.metrics import REQUESTS, REQUESTS_OPEN


@sync_and_async_middleware
def observed(get_response: Callable[[HttpRequest], Any]) -> Callable[[HttpRequest], Any]:
    """The outermost middleware."""

    def ended(began: float, response: HttpResponseBase) -> HttpResponseBase:
        REQUESTS.labels(f"{response.status_code // 100}xx").observe(time.perf_counter() - began)
        return response

    def blocking(request: HttpRequest) -> HttpResponseBase:
        began = time.perf_counter()
        with REQUESTS_OPEN.track_inprogress():
            return ended(began, get_response(request))

    async def waiting(request: HttpRequest) -> HttpResponseBase:
        began = time.perf_counter()
        with REQUESTS_OPEN.track_inprogress():
            return ended(began, await get_response(request))

    return waiting if iscoroutinefunction(get_response) else blocking
