"""A recorded conversation between clients and the site, played against a running one.

A recording is a list of steps. What a client sends is sent as recorded, and what comes back must be what is recorded,
to the last field. "$name" stands for a value of the site's making: it is learnt where it first comes and must be the
same ever after. Steps:

    {"http": "POST /path/", "as": "rosa", "body": {...}, "status": 201, "answer": {...}}
    {"http": "POST /path/", "form": {...}, "status": 200, "text": "success"}    {..., "status": 302, "location": "/"}
    {"opens": "rosa", "path": "/ws/chat/$chat/", "with": "hello" | "header" | "cookie" | "cookie:teo"}
    {"says": "rosa", "frame": {...}}    {"hears": "rosa", "frame": {...}}    {"leaves": "rosa"}

`as` takes the token "$rosa" for `Authorization: Bearer`.
"""

import json
import re
from pathlib import Path
from typing import Any

from tests.running import Stack, Wss

NAME = re.compile(r"\$(\w+)")


class Player:
    def __init__(self, stack: Stack, **known: str) -> None:
        self.stack = stack
        self.known: dict[str, Any] = known
        self.sockets: dict[str, Wss] = {}

    async def play(self, recording: Path) -> None:
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
            await self.open(step["opens"], self.filled(step["path"]), step["with"])
        elif "says" in step:
            await self.sockets[step["says"]].send(json.dumps(self.filled(step["frame"])))
        elif "hears" in step:
            self.compare(step["frame"], json.loads(await self.sockets[step["hears"]].receive()))
        else:
            await self.sockets.pop(step["leaves"]).close()

    async def request(
        self, http: str, status: int, answer: Any = None, body: Any = None, form: Any = None, **more: str
    ) -> None:
        method, path = self.filled(http).split(" ")
        headers = {"Authorization": f"Bearer {self.known[more['as']]}"} if "as" in more else {}
        async with self.stack.browser() as browser:
            browser.headers.clear()
            browser.cookies.clear()
            data = {"data": self.filled(form)} if form else {"json": self.filled(body)}
            got = await browser.request(method, path, headers=headers, **data)
        assert got.status_code == status, got.text
        assert got.headers.get("location", "") == more.get("location", "")
        if "text" in more:
            assert (got.text, got.headers["content-type"]) == (more["text"], "text/plain")
        else:
            self.compare(answer, got.json() if got.content else None)

    async def open(self, name: str, path: str, credential: str) -> None:
        options: dict[str, Any] = {"subprotocols": None}
        way, _, owner = credential.partition(":")
        cookie = self.stack.people(owner or name)[0] if way == "cookie" else ""
        if credential == "header":
            options |= {"additional_headers": {"Authorization": f"Bearer {self.known[name]}"}, "origin": None}
        self.sockets[name] = await Wss.open(self.stack, cookie, path=path, **options)

    def filled(self, value: Any) -> Any:
        """The value with what is known in the place of its names."""
        if isinstance(value, dict):
            return {key: self.filled(item) for key, item in value.items()}
        if isinstance(value, list):
            return [self.filled(item) for item in value]
        return NAME.sub(lambda found: str(self.known[found[1]]), value) if isinstance(value, str) else value

    def compare(self, recorded: Any, got: Any) -> None:
        """Raise unless that is what was recorded; learn the names in it."""
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
