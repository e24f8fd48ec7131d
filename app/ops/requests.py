"""Every HTTP request has an id, and is counted by its outcome."""

import time
from collections.abc import Callable
from typing import Any

from asgiref.sync import iscoroutinefunction
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.utils.decorators import sync_and_async_middleware

from ops import logs
from ops.metrics import REQUESTS, REQUESTS_OPEN

HEADER = "X-Request-ID"  # nginx overwrites it on the way in and says its own on the way out


@sync_and_async_middleware
def observed(get_response: Callable[[HttpRequest], Any]) -> Callable[[HttpRequest], Any]:
    """The outermost middleware. What Django logs about the answer comes after it, so the id is not taken back."""

    def ended(began: float, request_id: str, response: HttpResponseBase) -> HttpResponseBase:
        response.headers[HEADER] = request_id
        REQUESTS.labels(f"{response.status_code // 100}xx").observe(time.perf_counter() - began)
        return response

    def blocking(request: HttpRequest) -> HttpResponseBase:
        began, request_id = time.perf_counter(), logs.begin_request(request.headers.get(HEADER))
        with REQUESTS_OPEN.track_inprogress():
            return ended(began, request_id, get_response(request))

    async def waiting(request: HttpRequest) -> HttpResponseBase:
        began, request_id = time.perf_counter(), logs.begin_request(request.headers.get(HEADER))
        with REQUESTS_OPEN.track_inprogress():
            return ended(began, request_id, await get_response(request))

    return waiting if iscoroutinefunction(get_response) else blocking
