"""A plan for tests, and a folder that stands for the root of a host."""

from pathlib import Path

import pytest

from deploy.preflight.plan import Plan


@pytest.fixture
def plan(tmp_path: Path) -> Plan:
    return Plan(
        name="shop",
        user="shop",
        domain="shop.example.org",
        root="/opt/shop",
        folders=("/etc/shop", "/var/lib/shop"),
        units=("/etc/systemd/system/shop-web.service",),
    )


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """The root of a bare Debian 12: what the checks read of it."""
    host = tmp_path / "host"
    write(host / "etc/os-release", 'ID=debian\nPRETTY_NAME="Debian GNU/Linux 12 (bookworm)"\n')
    write(host / "etc/apt/sources.list", "deb http://packages.example.org/debian bookworm main\n")
    (host / "run/systemd/system").mkdir(parents=True)
    return host


def write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
