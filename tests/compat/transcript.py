"""Replays a recorded conversation between clients and the site against a running site.

A recording is a list of steps. Requests and frames are sent as recorded, and every answer must equal the recorded one
in every field. "$name" stands for a value that the site creates: it is stored where it first occurs and must be the
same from then on. Steps:

    {"http": "POST /path/", "as": "rosa", "body": {...}, "status": 201, "answer": {...}}
    {"http": "POST /path/", "form": {...}, "status": 200, "text": "success"}    {..., "status": 302, "location": "/"}
    {"opens": "rosa", "path": "/ws/chat/$chat/", "with": "hello" | "header" | "cookie" | "cookie:teo"}
    {"sends": "rosa", "frame": {...}}    {"receives": "rosa", "frame": {...}}    {"closes": "rosa"}

`as` sends the token "$rosa" in `Authorization: Bearer`.
"""

import json
import re
from pathlib import Path
from typing import Any

from tests.running import Stack, Wss

NAME = re.compile(r"\$(\w+)")


class Player:
    """Plays recordings. `known` are the values of names that the test has chosen."""

    def __init__(self, stack: Stack, **known: str) -> None:
        self.stack = stack
        self.known: dict[str, Any] = known
        self.sockets: dict[str, Wss] = {}

    async def play(self, recording: Path) -> None:
        """Play all steps. Raises AssertionError with the number of the step that failed."""
        steps = json.loads(recording.read_text())  # noqa: ASYNC240  nothing else runs meanwhile
        try:
            for number, step in enumerate(steps, 1):
                try:
                    await self.step(step)
                except Exception as error:
                    raise AssertionError(f"{recording.name}, step {number}: {json.dumps(step)}") from error
        finally:
            for socket in self.sockets.values():
                await socket.close()

    async def step(self, step: dict[str, Any]) -> None:
        if "http" in step:
            await self.request(**step)
        elif "opens" in step:
            await self.open(step["opens"], self.fill_names(step["path"]), step["with"])
        elif "sends" in step:
            await self.sockets[step["sends"]].send(json.dumps(self.fill_names(step["frame"])))
        elif "receives" in step:
            self.compare(step["frame"], json.loads(await self.sockets[step["receives"]].receive()))
        else:
            await self.sockets.pop(step["closes"]).close()

    async def request(
        self, http: str, status: int, answer: Any = None, body: Any = None, form: Any = None, **more: str
    ) -> None:
        method, path = self.fill_names(http).split(" ")
        headers = {"Authorization": f"Bearer {self.known[more['as']]}"} if "as" in more else {}
        async with self.stack.browser() as browser:
            browser.headers.clear()
            browser.cookies.clear()
            data = {"data": self.fill_names(form)} if form else {"json": self.fill_names(body)}
            response = await browser.request(method, path, headers=headers, **data)
        assert response.status_code == status, response.text
        assert response.headers.get("location", "") == more.get("location", "")
        if "text" in more:
            assert (response.text, response.headers["content-type"]) == (more["text"], "text/plain")
        else:
            self.compare(answer, response.json() if response.content else None)

    async def open(self, name: str, path: str, credential: str) -> None:
        options: dict[str, Any] = {"subprotocols": None}
        kind, _, owner = credential.partition(":")
        cookie = self.stack.people(owner or name)[0] if kind == "cookie" else ""
        if credential == "header":
            options |= {"additional_headers": {"Authorization": f"Bearer {self.known[name]}"}, "origin": None}
        self.sockets[name] = await Wss.open(self.stack, cookie, path=path, **options)

    def fill_names(self, value: Any) -> Any:
        """Return the value with its names replaced by the known values."""
        if isinstance(value, dict):
            return {key: self.fill_names(item) for key, item in value.items()}
        if isinstance(value, list):
            return [self.fill_names(item) for item in value]
        return NAME.sub(lambda found: str(self.known[found[1]]), value) if isinstance(value, str) else value

    def compare(self, recorded: Any, got: Any) -> None:
        """Compare an answer with the recorded one, and store the values of new names."""
        if isinstance(recorded, str) and (name := NAME.fullmatch(recorded)):
            assert got not in (None, "")
            assert self.known.setdefault(name[1], got) == got, f"{recorded} was {self.known[name[1]]!r}, is {got!r}"
        elif isinstance(recorded, dict):
            assert isinstance(got, dict), got
            assert got.keys() == recorded.keys()
            for key, value in recorded.items():
                self.compare(value, got[key])
        elif isinstance(recorded, list):
            assert isinstance(got, list), got
            assert len(got) == len(recorded), got
            for one, other in zip(recorded, got, strict=True):
                self.compare(one, other)
        else:
            assert got == recorded
