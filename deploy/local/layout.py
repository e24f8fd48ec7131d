"""The folders and ports of a local run."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

REPO = Path(__file__).resolve().parent.parent.parent
HTTPS_DEFAULT_PORT = 443
SOCKETS = ("redis", "web", "ws1", "ws2")


class WrongVariable(Exception):
    """Variables have values that cannot be used. `problems` has one sentence for each."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__(*problems)
        self.problems = problems


@dataclass(frozen=True)
class Layout:
    """The paths and ports of one run. A run writes only below `var`; removing that folder resets the site."""

    var: Path
    env_file: Path
    https_port: int
    http_port: int

    @classmethod
    def from_environment(cls, env: Mapping[str, str] = os.environ) -> "Layout":
        """Read STACK_VAR, STACK_ENV_FILE, HTTPS_PORT and HTTP_PORT.

        Raises:
            WrongVariable: a port is not a port, or the two are equal.
        """
        problems: list[str] = []

        def port(name: str, default: int) -> int:
            text = env.get(name) or str(default)
            if text.isascii() and text.isdigit() and 0 < int(text) < 65536:
                return int(text)
            problems.append(f"{name} is {text!r}: it must be a port, 1 to 65535.")
            return default

        https_port, http_port = port("HTTPS_PORT", 8443), port("HTTP_PORT", 8080)
        if https_port == http_port:
            problems.append(f"HTTPS_PORT and HTTP_PORT are both {http_port}: they must differ.")
        if problems:
            raise WrongVariable(problems)

        moved = env.get("STACK_VAR")
        var = Path(moved).absolute() if moved else REPO / "var"
        env_file = Path(env.get("STACK_ENV_FILE") or (var if moved else REPO) / ".env").absolute()
        return cls(var=var, env_file=env_file, https_port=https_port, http_port=http_port)

    @property
    def run(self) -> Path:
        """The folder of sockets and pid files. Only its owner may enter it: daphne's sockets are open to all."""
        return self.var / "run"

    @property
    def log(self) -> Path:
        """The folder of the log files."""
        return self.var / "log"

    @property
    def nginx(self) -> Path:
        """The folder of nginx's configuration (deploy/local/site.py)."""
        return self.var / "nginx"

    @property
    def nginx_pid_file(self) -> Path:
        """The file with nginx's process id, which nginx writes when it has all of its ports."""
        return self.run / "nginx-master.pid"

    @property
    def tls(self) -> Path:
        """The folder of the certificate and its key. Only its owner may enter it."""
        return self.var / "tls"

    @property
    def url(self) -> str:
        """The address of the site on this machine, as browsers write it in Origin: without the port 443."""
        return "https://localhost" if self.https_port == HTTPS_DEFAULT_PORT else f"https://localhost:{self.https_port}"

    def socket(self, name: str) -> Path:
        """Return the unix socket of a process, by one of the names in SOCKETS."""
        return self.run / f"{name}.sock"

    @property
    def redis_url(self) -> str:
        """The URL of the Redis that this run starts."""
        return f"unix://{self.socket('redis')}"

    def owns_redis(self, env: Mapping[str, str]) -> bool:
        """Return whether this run starts its own Redis: it does unless REDIS_URL names another one, or is empty."""
        return env["REDIS_URL"] == self.redis_url

    def make_folders(self) -> None:
        """Create the folders, with their modes, where they are missing."""
        for folder, mode in (
            (self.var, 0o755),
            (self.log, 0o755),
            (self.nginx, 0o755),
            (self.run, 0o700),
            (self.tls, 0o700),
        ):
            folder.mkdir(mode=mode, parents=True, exist_ok=True)
            if mode == 0o700:
                folder.chmod(mode)
