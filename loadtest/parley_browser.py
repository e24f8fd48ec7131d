"""What a browser does over HTTP: sign in as a guest, open a room's page. Timed as `page`."""

import time
from typing import TYPE_CHECKING, Any

import gevent
from locust.contrib.fasthttp import FastHttpSession

from loadtest.connection import Ended

if TYPE_CHECKING:
    from loadtest.parley_user import ParleyUser

PATIENCE = 5.0  # seconds, where a refusal names none


class Browser:
    """Of one user. Keeps cookies, loads no pictures."""

    def __init__(self, user: "ParleyUser") -> None:
        self.user = user
        self.session = FastHttpSession(
            base_url=user.plan.url,
            request_event=user.environment.events.request,
            user=user,
            insecure=not user.plan.verify,
        )

    def get(self, path: str, name: str, cookie: str = "") -> None:
        """Fetch a page. Raises Ended when it is not 200."""
        self._done(name, self._timed("GET", path, name, headers={"Cookie": f"sessionid={cookie}"} if cookie else {}))

    def sign_in(self, name: str) -> str:
        """As a guest, by the form on the front page; returns the session. Waits while the site asks for patience."""
        origin = self.user.plan.url
        while True:
            self.get("/", "front page")
            fields = {"name": name, "next": "/rooms/", "csrfmiddlewaretoken": self._cookie("csrftoken")}
            headers = {"Referer": f"{origin}/", "Origin": origin}
            answer = self._timed("POST", "/guest/", "sign in", data=fields, headers=headers, allow_redirects=False)
            if session := self._cookie("sessionid"):
                return session
            if answer.status_code != 429:
                self._done("sign in", answer)
                raise Ended(f"sign in: {answer.status_code} and no session")
            self.user.worker.failed["sign in: 429, waiting"] += 1
            wait = str((answer.headers or {}).get("Retry-After", ""))
            gevent.sleep(float(wait) if wait.isdigit() else PATIENCE)

    def _timed(self, method: str, path: str, name: str, **options: Any) -> Any:
        began = time.monotonic_ns()
        answer = self.session.request(method, path, name=name, **options)
        self.user.worker.recorder.add("page", time.monotonic_ns() - began)
        return answer

    def _done(self, name: str, answer: Any) -> None:
        if answer.status_code != 200:
            raise Ended(f"{name}: {answer.status_code or answer.error}")

    def _cookie(self, name: str) -> str:
        return next((str(cookie.value) for cookie in self.session.cookiejar if cookie.name == name), "")
