"""What a browser does over HTTP: sign in as a guest, open a room's page. Timed as `page`."""

import time
from typing import Any

import gevent
from locust import User
from locust.contrib.fasthttp import FastHttpSession

from loadtest.load.worker import Worker

DEFAULT_RETRY_SECONDS = 5.0  # where a 429 response names no time


class PageFailed(Exception):
    """The site did not return the page. The text has the name of the page and the status."""


class Browser:
    """The browser of one user. It keeps cookies, and loads no images.

    Args:
        user: for locust's statistics.
        worker: of the user's process.
    """

    def __init__(self, user: User, worker: Worker) -> None:
        self.worker = worker
        self.origin = worker.plan.url
        self.session = FastHttpSession(
            base_url=self.origin,
            request_event=user.environment.events.request,
            user=user,
            insecure=not worker.plan.verify,
        )

    def get(self, path: str, name: str, cookie: str = "") -> None:
        """Fetch a page.

        Args:
            path: of the page.
            name: in locust's statistics.
            cookie: of the session; empty for none.

        Raises:
            PageFailed: the status is not 200.
        """
        headers = {"Cookie": f"sessionid={cookie}"} if cookie else {}
        self._require_ok(name, self._request("GET", path, name, headers=headers))

    def sign_in(self, name: str) -> str:
        """Sign in as a guest of this name, by the form on the front page; return the session's cookie.

        Waits as long as the site answers with 429.

        Raises:
            PageFailed: the site does not sign the guest in.
        """
        while True:
            self.get("/", "front page")
            fields = {"name": name, "next": "/rooms/", "csrfmiddlewaretoken": self._cookie("csrftoken")}
            headers = {"Referer": f"{self.origin}/", "Origin": self.origin}
            response = self._request("POST", "/guest/", "sign in", data=fields, headers=headers, allow_redirects=False)
            if session := self._cookie("sessionid"):
                return session
            if response.status_code != 429:
                self._require_ok("sign in", response)
                raise PageFailed(f"sign in: {response.status_code} and no session")
            self.worker.counters.failed["sign in: 429, waiting"] += 1
            wait = str((response.headers or {}).get("Retry-After", ""))
            gevent.sleep(float(wait) if wait.isdigit() else DEFAULT_RETRY_SECONDS)

    def _request(self, method: str, path: str, name: str, **options: Any) -> Any:
        started = time.monotonic_ns()
        response = self.session.request(method, path, name=name, **options)
        self.worker.recorder.add("page", time.monotonic_ns() - started)
        return response

    def _require_ok(self, name: str, response: Any) -> None:
        if response.status_code != 200:
            raise PageFailed(f"{name}: {response.status_code or response.error}")

    def _cookie(self, name: str) -> str:
        return next((str(cookie.value) for cookie in self.session.cookiejar if cookie.name == name), "")
