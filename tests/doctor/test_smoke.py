"""deploy/smoke.py checks a site as a browser reaches it, and names the hop that fails."""

import subprocess
import sys

import pytest

from tests.doctor.conftest import StartNginx
from tests.doctor.edited_nginx import EditedNginx
from tests.nginx.served import free_ports
from tests.running import REPO

PASS = "proxy_pass http://$ws_servers;"
HSTS = ('default "";', 'default "max-age=31536000";')  # the map of $hsts, as on a host


def smoke(url: str, *options: str) -> "subprocess.CompletedProcess[str]":
    """Run it as an operator does: from another folder, and with the standard library alone."""
    command = [sys.executable, "-S", str(REPO / "deploy/smoke.py"), url, *options]
    return subprocess.run(command, cwd="/", capture_output=True, text=True, check=False)


def smoke_nginx(nginx: EditedNginx) -> "subprocess.CompletedProcess[str]":
    return smoke(nginx.url, "--trust", str(nginx.ca), "--connect", "127.0.0.1")


def test_a_healthy_site_passes(start_nginx: StartNginx) -> None:
    done = smoke_nginx(start_nginx({"target/http.conf": [HSTS]}))
    assert (done.returncode, done.stderr) == (0, "")
    assert "the page, the upgrade probe, the WebSocket and hello work" in done.stdout


@pytest.mark.parametrize(
    ("old", "new", "failure"),
    [
        ("proxy_pass http://$web_servers;", "return 502;", "gunicorn: / answers 502"),
        ("proxy_pass http://$web_servers;", "return 200 hello;", "gunicorn: / answers 200 without the chat's page"),
        (PASS, "return 502;", "daphne: /ws/ answers 502"),
        (PASS, "proxy_pass http://web;", "nginx: /ws/ answers 426"),
        (PASS, f"if ($http_upgrade) {{ return 403; }} {PASS}", "daphne: the handshake is answered by 403 Forbidden"),
    ],
)
def test_the_hop_that_fails_is_named(start_nginx: StartNginx, old: str, new: str, failure: str) -> None:
    done = smoke_nginx(start_nginx({"target/http.conf": [HSTS], "sites/site.conf": [(old, new)]}))
    assert done.returncode == 1
    assert failure in done.stderr


def test_a_site_without_hsts_is_named(start_nginx: StartNginx) -> None:
    done = smoke_nginx(start_nginx())
    assert done.returncode == 1
    assert "nginx: / answers without the header Strict-Transport-Security" in done.stderr


def test_an_untrusted_certificate_is_named(start_nginx: StartNginx) -> None:
    done = smoke(start_nginx().url, "--connect", "127.0.0.1")
    assert done.returncode == 1
    assert "tls: [SSL: CERTIFICATE_VERIFY_FAILED]" in done.stderr


def test_a_port_without_a_server_is_named() -> None:
    (port,) = free_ports(1)
    done = smoke(f"https://localhost:{port}")
    assert done.returncode == 1
    assert f"nginx: localhost port {port} does not answer: connection refused" in done.stderr


def test_a_name_without_an_address_is_named() -> None:
    done = smoke("https://nowhere.invalid")
    assert done.returncode == 1
    assert "name: nowhere.invalid has no address" in done.stderr
