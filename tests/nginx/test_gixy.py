"""gixy, a linter for nginx configurations, reads ours as it is installed and finds nothing."""

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from deploy.local.layout import REPO

NGINX = REPO / "nginx"
GIXY = Path(sys.executable).parent / "gixy"


def installed(target: str, folder: Path) -> Path:
    """Fill nginx's folder as the playbook or the image does."""
    for name in ("sites", "snippets", "errors"):
        shutil.copytree(NGINX / name, folder / name)
    for name in ("nginx.conf", "http.conf"):
        shutil.copy(NGINX / name, folder)
    shutil.copytree(NGINX / "targets" / target, folder / "target")
    # A container writes these when it starts (docker/environment.sh).
    (folder / "https-port.conf").write_text('map "" $https_port {\n    default ":8443";\n}\n')
    (folder / "rate-limit-exempt.conf").write_text("172.16.0.0/12 0;\n")
    for file in (folder / "target").iterdir():
        file.write_text(file.read_text().replace("include /tmp/", f"include {folder}/"))
    return folder


def found(folder: Path) -> list[dict[str, Any]]:
    """Return gixy's issues, and assert that it has read every included file."""
    command = [str(GIXY), "--format", "json", str(folder / "nginx.conf")]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert "not found" not in done.stderr, done.stderr
    issues: list[dict[str, Any]] = json.loads(done.stdout)
    assert done.returncode == bool(issues), done.stderr
    return issues


@pytest.mark.parametrize("target", ["host", "docker"])
def test_gixy_finds_nothing(target: str, tmp_path: Path) -> None:
    assert found(installed(target, tmp_path)) == []


@pytest.mark.parametrize(
    ("target", "newer", "name"),
    [
        ("host", "snippets/curves-post-quantum.conf", "snippets/curves.conf"),
        ("docker", "target/upstreams-least-conn.conf", "target/upstreams.conf"),
    ],
)
def test_gixy_finds_nothing_where_nginx_or_openssl_is_newer(target: str, newer: str, name: str, tmp_path: Path) -> None:
    folder = installed(target, tmp_path)
    (folder / newer).rename(folder / name)
    assert found(folder) == []


@pytest.mark.parametrize(
    ("file", "mistake", "name"),
    [
        ("snippets/proxy-headers.conf", "proxy_set_header Host $http_host;", "host_spoofing"),
        ("target/https-server.conf", "ssl_protocols TLSv1;", "weak_ssl_tls"),
    ],
)
def test_gixy_reads_the_included_files(file: str, mistake: str, name: str, tmp_path: Path) -> None:
    folder = installed("host", tmp_path)
    with (folder / file).open("a") as text:
        text.write(f"{mistake}\n")
    assert name in {issue["plugin"] for issue in found(folder)}
