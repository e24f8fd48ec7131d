"""Middleware that gives every HTTP request an id and counts it by its outcome."""

import time
from collections.abc import Callable
from typing import Any

from asgiref.sync import iscoroutinefunction
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.utils.decorators import sync_and_async_middleware

from channels_stack import logs
from channels_stack.metrics import REQUESTS, REQUESTS_OPEN

ID_HEADER = "X-Request-ID"  # nginx overwrites it in requests and sets its own in answers


@sync_and_async_middleware
def observe_requests(get_response: Callable[[HttpRequest], Any]) -> Callable[[HttpRequest], Any]:
    """Return the middleware; it must be the outermost one.

    The id stays set after the answer, because Django logs the answer after the middleware has returned.
    """

    def finish(started: float, request_id: str, response: HttpResponseBase) -> HttpResponseBase:
        response.headers[ID_HEADER] = request_id
        REQUESTS.labels(f"{response.status_code // 100}xx").observe(time.perf_counter() - started)
        return response

    def sync_middleware(request: HttpRequest) -> HttpResponseBase:
        started, request_id = time.perf_counter(), logs.begin_request(request.headers.get(ID_HEADER))
        with REQUESTS_OPEN.track_inprogress():
            return finish(started, request_id, get_response(request))

    async def async_middleware(request: HttpRequest) -> HttpResponseBase:
        started, request_id = time.perf_counter(), logs.begin_request(request.headers.get(ID_HEADER))
        with REQUESTS_OPEN.track_inprogress():
            return finish(started, request_id, await get_response(request))

    return async_middleware if iscoroutinefunction(get_response) else sync_middleware
