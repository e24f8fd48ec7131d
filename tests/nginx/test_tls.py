"""The result of a TLS scanner for a host."""

from pathlib import Path

from tests.nginx.scan import scan
from tests.nginx.served import Nginx

NAME = "parley.example.org"  # of targets/host/server-name.conf


def test_tls_is_not_weaker_than_mozillas_intermediate_profile(host_nginx: Nginx, tmp_path: Path) -> None:
    found = scan(NAME, host_nginx.layout.https_port, "127.0.0.1", tmp_path)
    assert found.below_intermediate == []
