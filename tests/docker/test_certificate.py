"""The certificate of an operator, from files."""

import ssl
from collections.abc import Iterator
from pathlib import Path

import pytest

from deploy.local import certificate
from deploy.local.layout import Layout
from tests.docker.compose import Compose

NGINX = 101  # the group that may read the key


@pytest.fixture
def files(compose: Compose, tmp_path: Path) -> Iterator[Path]:
    """A folder with a certificate that nginx uses during the test."""
    layout = Layout(var=tmp_path, env_file=tmp_path / ".env", https_port=0, http_port=0)
    layout.make_folders()
    certificate.renew(layout)
    folder = layout.tls
    compose.docker(
        *("run", "--rm", "--user", "0", "--volume", f"{folder}:/tls", "--entrypoint", "sh"),
        *(compose.environment["SITE_IMAGE"], "-c", f"chown -R 0:{NGINX} /tls && chmod 750 /tls && chmod 640 /tls/*"),
    )
    compose.environment["TLS_FOLDER"] = str(folder)
    yield folder
    del compose.environment["TLS_FOLDER"]
    compose.up("--force-recreate", "--no-deps", "nginx")


async def test_nginx_uses_the_certificate_of_the_files(compose: Compose, files: Path) -> None:
    own = ssl.PEM_cert_to_DER_cert(compose.ca.read_text())
    compose.up()  # all services, as an operator would
    shown = ssl.get_server_certificate(("localhost", compose.https_port))
    assert shown == (files / "fullchain.pem").read_text()
    assert ssl.PEM_cert_to_DER_cert(shown) != own
