"""The doctor, run as an operator runs it, but in this process, and what it said as a test wants it."""

import contextlib
import io
import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest import mock

from deploy.doctor.__main__ import main
from tests.doctor.front import Front
from tests.running import Stack


@dataclass(frozen=True)
class Diagnosis:
    code: int
    said: dict[str, Any]

    @property
    def hop(self) -> str | None:
        """Where the way ends."""
        return str(self.said["broken"]) if self.said["broken"] else None

    def findings(self, *, warning: bool) -> list[dict[str, Any]]:
        return [one for hop in self.said["hops"] for one in hop["findings"] if one["warning"] is warning]

    @property
    def cause(self) -> str | None:
        return next((str(one["cause"]) for one in self.findings(warning=False)), None)

    @property
    def evidence(self) -> str:
        return next(f"{one['seen']} {one['where']}" for one in self.findings(warning=False))

    @property
    def warnings(self) -> dict[str, str]:
        """Cause -> evidence."""
        return {one["cause"]: f"{one['seen']} {one['where']}" for one in self.findings(warning=True)}

    def leave(self, file: Path) -> None:
        file.write_text(json.dumps(self.said))

    def of(self, title: str) -> dict[str, Any]:
        return next(hop for hop in self.said["hops"] if hop["hop"] == title)


class Doctor:
    def __init__(self, stack: Stack) -> None:
        self.stack = stack

    def __call__(self, front: Front, *words: str, cookie: str = "", room: str = "") -> Diagnosis:
        """From outside."""
        return self.ask(
            front.url, "--http-port", str(front.http_port), "--ca", str(front.ca), *words, cookie=cookie, room=room
        )

    def inside(self, front: Front, *words: str, **signed: str) -> Diagnosis:
        """On the machine."""
        redis = f"unix://{self.stack.folder}/var/run/redis.sock"
        there = ["--host", "--nginx", front.command, "--redis", redis, "--log", str(front.log)]
        return self(front, *there, *words, **signed)

    def shown(self, front: Front, *words: str) -> str:
        """The picture of what is seen from outside."""
        said = io.StringIO()
        with contextlib.redirect_stdout(said):
            main([front.url, "--http-port", str(front.http_port), "--ca", str(front.ca), *words])
        return said.getvalue()

    def ask(self, *words: str, cookie: str = "", room: str = "") -> Diagnosis:
        signed = {"PARLEY_DOCTOR_COOKIE": cookie, "PARLEY_DOCTOR_ROOM": room}
        said = io.StringIO()
        with mock.patch.dict(os.environ, signed), contextlib.redirect_stdout(said):
            code = main(["--json", "--private-ports", "", "--patience", "2", *words])
        return Diagnosis(code, json.loads(said.getvalue()))
