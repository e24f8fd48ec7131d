"""Where a local run keeps its things, and at which ports it listens."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

REPO = Path(__file__).resolve().parent.parent.parent
SOCKETS = ("redis", "web", "ws1", "ws2")


class WrongVariable(Exception):
    """`problems` has one sentence per variable that cannot be used."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__(*problems)
        self.problems = problems


@dataclass(frozen=True)
class Layout:
    """`var` holds everything that a run writes; removing it is a fresh start."""

    var: Path
    env_file: Path
    https_port: int
    http_port: int

    @classmethod
    def from_environment(cls, env: Mapping[str, str] = os.environ) -> "Layout":
        """Raises WrongVariable."""
        problems: list[str] = []

        def port(name: str, default: int) -> int:
            text = env.get(name) or str(default)
            if text.isascii() and text.isdigit() and 0 < int(text) < 65536:
                return int(text)
            problems.append(f"{name} is {text!r}: it must be a port, 1 to 65535.")
            return default

        https_port, http_port = port("PARLEY_HTTPS_PORT", 8443), port("PARLEY_HTTP_PORT", 8080)
        if https_port == http_port:
            problems.append(f"PARLEY_HTTPS_PORT and PARLEY_HTTP_PORT are both {http_port}: they must differ.")
        if problems:
            raise WrongVariable(problems)

        moved = env.get("PARLEY_VAR")
        var = Path(moved).absolute() if moved else REPO / "var"
        env_file = Path(env.get("PARLEY_ENV_FILE") or (var if moved else REPO) / ".env").absolute()
        return cls(var=var, env_file=env_file, https_port=https_port, http_port=http_port)

    @property
    def run(self) -> Path:
        """Sockets and pid files. Only the owner may enter: daphne's sockets are open to everybody."""
        return self.var / "run"

    @property
    def log(self) -> Path:
        return self.var / "log"

    @property
    def nginx(self) -> Path:
        return self.var / "nginx"

    @property
    def tls(self) -> Path:
        return self.var / "tls"

    def socket(self, name: str) -> Path:
        return self.run / f"{name}.sock"

    @property
    def redis_url(self) -> str:
        return f"unix://{self.socket('redis')}"

    def owns_redis(self, env: Mapping[str, str]) -> bool:
        """Whether this run brings its own Redis: yes, unless REDIS_URL names another one, or none."""
        return env["REDIS_URL"] == self.redis_url

    def make_folders(self) -> None:
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
