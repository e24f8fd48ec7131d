"""What a scanner of strangers says of the TLS that a host speaks."""

from pathlib import Path

from tests.nginx.scan import scan
from tests.nginx.served import Nginx

NAME = "parley.example.org"  # of targets/host/server-name.conf


def test_nothing_is_below_mozillas_intermediate_profile(host_nginx: Nginx, tmp_path: Path) -> None:
    found = scan(NAME, host_nginx.layout.https_port, "127.0.0.1", tmp_path)
    assert found.below_intermediate == []
