"""nginx with the repository's configuration, for this machine and for a host, in a temporary folder."""

import os
import re
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from deploy.local import certificate, site
from deploy.local.layout import REPO, Layout
from tests.nginx.served import Nginx, free_ports


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("n")  # short: unix sockets lie below


@pytest.fixture(scope="session")
def layout(folder: Path) -> Layout:
    """The local target, assembled, with one static file that has a hash in its name and one that has not."""
    https, http = free_ports(2)
    layout = Layout(var=folder / "var", env_file=folder / ".env", https_port=https, http_port=http)
    layout.make_folders()
    certificate.renew(layout)
    static = folder / "static"
    static.mkdir()
    for name in ("room.js", "room.0123456789ab.js"):
        (static / name).write_text("export {};\n")
    site.assemble(layout, static_root=static)
    return layout


@pytest.fixture
def nginx(layout: Layout) -> Iterator[Nginx]:
    """A new nginx for each test, so that its rate limits have counted no request."""
    running = Nginx(layout)
    yield running
    running.end()


@pytest.fixture
def neighbour() -> str:
    """An address of this machine that is not loopback; a client that connects to it has it, too."""
    address = certificate.lan_address()
    assert address, "these tests need a network address besides loopback"
    return address


@pytest.fixture(scope="session")
def host_layout(folder: Path, layout: Layout) -> Layout:
    """The target of a host, with its paths moved into a folder of the test."""
    https, http, metrics = free_ports(3)
    host = Layout(var=folder / "host", env_file=folder / ".env", https_port=https, http_port=http)
    host.make_folders()
    site.assemble(host, static_root=folder / "static")
    moved = [
        (r"/etc/nginx/certificate/", f"{layout.tls}/"),
        (r"/etc/nginx/errors/", f"{REPO}/nginx/errors/"),
        (r"/var/log/nginx/", f"{host.log}/"),
        (r"/var/lib/parley/static/", f"{folder}/static/"),
        (r"/var/lib/parley/maintenance", f"{host.var}/maintenance"),
        (r"/run/parley/", f"{host.run}/"),
        (r"/run/nginx/", f"{host.run}/"),
        (r"\b443\b", str(https)),
        (r"\b80\b", str(http)),
        (r"\b9145\b", str(metrics)),
        (r"user www-data;", ""),
    ]
    for file in (REPO / "nginx" / "targets" / "host").iterdir():
        text = file.read_text()
        for old, new in moved:
            text = re.sub(old, new, text)
        (host.nginx / "target" / file.name).write_text(text)
    with (host.nginx / "target" / "http.conf").open("a") as file:
        for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"):
            file.write(f"{kind}_temp_path {host.nginx}/tmp/{kind};\n")
    with (host.nginx / "target" / "main.conf").open("a") as file:
        file.write(f"daemon off;\npid {host.nginx_pid_file};\n" + ("user root;\n" if os.geteuid() == 0 else ""))
    return host


@pytest.fixture
def host_nginx(host_layout: Layout) -> Iterator[Nginx]:
    running = Nginx(host_layout)
    yield running
    running.end()


@pytest.fixture
def check() -> Callable[[Layout], subprocess.CompletedProcess[str]]:
    """Run `nginx -t` with a folder."""
    return lambda layout: subprocess.run([*site.command(layout), "-t"], capture_output=True, text=True, check=False)
