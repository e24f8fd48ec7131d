"""nginx in front of a running site's servers, with something wrong in its files."""

import contextlib
import re
import shutil
import socket
import subprocess
import threading
import time
from pathlib import Path

from tests.nginx.served import accepts, free_ports

PORT = re.compile(r"^(listen \S*?:)\d+ ", re.MULTILINE)


class Front:
    """`edits`: file below nginx/ -> replacements, each of which must find something. `under`: what runs nginx.

    Ends with end().
    """

    def __init__(
        self,
        var: Path,
        folder: Path,
        edits: dict[str, list[tuple[str, str]]],
        *,
        tls: Path | None = None,
        under: str = "",
    ) -> None:
        self.folder = folder
        self.https_port, self.http_port = free_ports(2)
        self.ca = tls or var / "tls/fullchain.pem"
        shutil.copytree(var / "nginx", folder)
        self.change("target/https-server.conf", r"(listen \S+:)\d+ ", rf"\g<1>{self.https_port} ")
        self.change("target/http-server.conf", r"(listen \S+:)\d+ ", rf"\g<1>{self.http_port} ")
        self.change("target/http.conf", r'default ":\d+"', f'default ":{self.https_port}"')
        self.change("target/main.conf", r"pid .*;", f'pid "{folder}/nginx.pid";')
        self.change("target/main.conf", r"worker_processes 2;", "worker_processes 1;")
        for name, replacements in edits.items():
            for old, new in replacements:
                text = (folder / name).read_text()
                assert old in text, f"{name} has no {old!r} any more"
                (folder / name).write_text(
                    text.replace(old, new.replace("{folder}", str(folder)).replace("{port}", str(self.https_port)))
                )
        self.log = folder / "error.log"
        self.command = f"nginx -p {folder}/ -c {folder}/nginx.conf -e stderr"
        with self.log.open("wb") as said:
            self.process = subprocess.Popen([*under.split(), *self.command.split()], stderr=said)
        deadline = time.monotonic() + 10
        while not accepts(self.https_port):
            assert self.process.poll() is None, self.log.read_text()
            assert time.monotonic() < deadline, self.log.read_text()
            threading.Event().wait(0.01)

    def change(self, name: str, pattern: str, new: str) -> None:
        text, count = re.subn(pattern, new, (self.folder / name).read_text())
        assert count, f"{name} has no {pattern!r} any more"
        (self.folder / name).write_text(text)

    def begun(self) -> socket.socket:
        """A connection on which a TLS handshake has begun; idle ones are given away by an nginx that is full."""
        line = socket.create_connection(("127.0.0.1", self.https_port))
        with contextlib.suppress(OSError):
            line.sendall(b"\x16\x03\x01")
        return line

    @property
    def url(self) -> str:
        return f"https://localhost:{self.https_port}"

    def end(self) -> None:
        self.process.terminate()
        self.process.wait()
