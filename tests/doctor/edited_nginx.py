"""nginx in front of a running stack's servers, with a fault in its configuration."""

import contextlib
import re
import shutil
import socket
import subprocess
import threading
import time
from pathlib import Path

from tests.nginx.served import accepts, free_ports

Edits = dict[str, list[tuple[str, str]]]
"""File below nginx/ -> its replacements: what is there, and what replaces it."""

APPLICATION_REFUSES = "if ($http_upgrade) { add_header X-Refused-By application always; return 403; } "
"""Before a proxy_pass: answers a handshake as the stack's server does where the project's consumer refuses it."""


def start_process(command: list[str], port: int, log: Path) -> "subprocess.Popen[bytes]":
    """Start nginx with its errors appended to a log, and wait until it accepts connections."""
    with log.open("ab") as errors:
        process = subprocess.Popen(command, stderr=errors)
    deadline = time.monotonic() + 10
    while not accepts(port):
        assert process.poll() is None, log.read_text()
        assert time.monotonic() < deadline, log.read_text()
        threading.Event().wait(0.01)
    return process


class EditedNginx:
    """A running nginx with edited files. stop() ends it."""

    def __init__(self, var: Path, folder: Path, edits: Edits, *, tls: Path | None = None, wrapper: str = "") -> None:
        """Start nginx and wait until it accepts connections.

        Args:
            var: the stack's folder, whose nginx files are copied.
            folder: where the copy goes.
            edits: the faults; each replacement must find its text. {folder} and {port} are filled in.
            tls: the authority's file, where the certificate is not the stack's.
            wrapper: a command that runs nginx.
        """
        self.folder = folder
        self.https_port, self.http_port = free_ports(2)
        self.ca = tls or var / "tls/fullchain.pem"
        shutil.copytree(var / "nginx", folder)
        self.replace("target/https-server.conf", r"(listen \S+:)\d+ ", rf"\g<1>{self.https_port} ")
        self.replace("target/http-server.conf", r"(listen \S+:)\d+ ", rf"\g<1>{self.http_port} ")
        self.replace("target/http.conf", r'default ":\d+"', f'default ":{self.https_port}"')
        self.replace("target/main.conf", r"pid .*;", f'pid "{folder}/nginx.pid";')
        self.replace("target/main.conf", r"worker_processes 2;", "worker_processes 1;")
        for name, replacements in edits.items():
            for old, new in replacements:
                text = (folder / name).read_text()
                assert old in text, f"{name} has no {old!r} any more"
                (folder / name).write_text(
                    text.replace(old, new.replace("{folder}", str(folder)).replace("{port}", str(self.https_port)))
                )
        self.log = folder / "error.log"
        self.command = f"nginx -p {folder}/ -c {folder}/nginx.conf -e stderr"
        self.process = start_process([*wrapper.split(), *self.command.split()], self.https_port, self.log)

    def replace(self, name: str, pattern: str, new: str) -> None:
        """Replace a regular expression in a file, which must have it."""
        text, count = re.subn(pattern, new, (self.folder / name).read_text())
        assert count, f"{name} has no {pattern!r} any more"
        (self.folder / name).write_text(text)

    def begin_tls(self) -> socket.socket:
        """Return a connection on which a TLS handshake has begun. An nginx that is full closes idle connections."""
        connection = socket.create_connection(("127.0.0.1", self.https_port))
        with contextlib.suppress(OSError):
            connection.sendall(b"\x16\x03\x01")
        return connection

    @property
    def url(self) -> str:
        """The address of its site."""
        return f"https://localhost:{self.https_port}"

    def stop(self) -> None:
        """End nginx and wait for it."""
        self.process.terminate()
        self.process.wait()
