"""Runs the doctor as an operator runs it, but in this process, and reads its report."""

import contextlib
import io
import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest import mock

from deploy.doctor.__main__ import main
from tests.doctor.edited_nginx import EditedNginx
from tests.running import Stack


@dataclass(frozen=True)
class Diagnosis:
    """The doctor's exit code and its report."""

    exit_code: int
    report: dict[str, Any]

    @property
    def hop(self) -> str | None:
        """The hop that is broken."""
        return str(self.report["broken"]) if self.report["broken"] else None

    def findings(self, *, warning: bool) -> list[dict[str, Any]]:
        """The findings of all hops that are warnings, or that are not."""
        return [found for hop in self.report["hops"] for found in hop["findings"] if found["warning"] is warning]

    @property
    def cause(self) -> str | None:
        """The cause that breaks the hop."""
        return next((str(found["cause"]) for found in self.findings(warning=False)), None)

    @property
    def evidence(self) -> str:
        """The evidence for that cause, and its place."""
        return next(f"{found['seen']} {found['where']}" for found in self.findings(warning=False))

    @property
    def warnings(self) -> dict[str, str]:
        """Cause -> evidence."""
        return {found["cause"]: f"{found['seen']} {found['where']}" for found in self.findings(warning=True)}

    def write_to(self, file: Path) -> None:
        """Write the report to a file, as --json prints it."""
        file.write_text(json.dumps(self.report))

    def hop_report(self, title: str) -> dict[str, Any]:
        """The hop of this title in the report."""
        return next(hop for hop in self.report["hops"] if hop["hop"] == title)


class Doctor:
    """Runs the doctor for the tests of one stack."""

    def __init__(self, stack: Stack) -> None:
        self.stack = stack

    def __call__(self, nginx: EditedNginx, *options: str, cookie: str = "", room: str = "") -> Diagnosis:
        """Run it from outside."""
        site = (nginx.url, "--http-port", str(nginx.http_port), "--ca", str(nginx.ca))
        return self.run(*site, *options, cookie=cookie, room=room)

    def on_host(self, nginx: EditedNginx, *options: str, **sign_in: str) -> Diagnosis:
        """Run it on the host."""
        redis = f"unix://{self.stack.folder}/var/run/redis.sock"
        host = ["--host", "--nginx", nginx.command, "--redis", redis, "--log", str(nginx.log)]
        return self(nginx, *host, *options, **sign_in)

    def draw(self, nginx: EditedNginx, *options: str) -> str:
        """Return the text report of what is observed from outside."""
        output = io.StringIO()
        with contextlib.redirect_stdout(output):
            main([nginx.url, "--http-port", str(nginx.http_port), "--ca", str(nginx.ca), *options])
        return output.getvalue()

    def run(self, *options: str, cookie: str = "", room: str = "") -> Diagnosis:
        """Run it with these options and return its report."""
        sign_in = {"DOCTOR_COOKIE": cookie, "DOCTOR_ROOM": room}
        output = io.StringIO()
        with mock.patch.dict(os.environ, sign_in), contextlib.redirect_stdout(output):
            exit_code = main(["--json", "--private-ports", "", "--timeout", "2", *options])
        return Diagnosis(exit_code, json.loads(output.getvalue()))
