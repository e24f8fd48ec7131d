"""Causes before the first byte of HTTP: each fault is real, and the doctor names the hop and the cause."""

import contextlib
import socket
import ssl
import subprocess
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from deploy.local import certificate
from tests.doctor.conftest import StartNginx
from tests.doctor.doctor_command import Doctor
from tests.doctor.edited_nginx import EditedNginx
from tests.doctor.faulty_certificates import write_certificate
from tests.nginx.served import free_ports, until
from tests.running import Stack

StartWithCertificate = Callable[..., EditedNginx]


@pytest.fixture
def start_with_certificate(start_nginx: StartNginx, stack: Stack, tmp_path: Path) -> StartWithCertificate:
    """Starts nginx with a certificate of write_certificate()."""

    def start(**faults: object) -> EditedNginx:
        root = write_certificate(tmp_path / "tls", **faults)
        edits = [(f"{stack.folder}/var/tls/", f"{tmp_path}/tls/")]
        return start_nginx({"target/https-server.conf": edits}, tls=root)

    return start


def test_19_a_name_without_address(doctor: Doctor) -> None:
    found = doctor.run("https://nowhere.invalid")
    assert (found.hop, found.cause, found.exit_code) == ("DNS", "name-without-address", 10)


def test_19_one_address_of_several_is_dead(start_nginx: StartNginx, doctor: Doctor) -> None:
    found = doctor(start_nginx(), "--address", "127.0.0.1", "--address", "127.0.0.77", "--address", "127.0.0.1")
    assert found.hop is None  # nginx listens everywhere
    only_here = {"target/https-server.conf": [("listen 0.0.0.0:", "listen 127.0.0.1:")]}
    found = doctor(start_nginx(only_here), "--address", "127.0.0.1", "--address", "127.0.0.77")
    assert (found.hop, found.cause, found.exit_code) == ("TCP", "one-address-of-several-is-dead", 11)
    assert "127.0.0.77: connection refused" in found.evidence


def test_17_a_firewall_drops_connections(doctor: Doctor) -> None:
    with contextlib.ExitStack() as held, socket.socket() as full:
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        for _ in range(4):  # more than the queue holds: the kernel drops the next one, as a firewall does
            waiting = held.enter_context(socket.socket())
            waiting.setblocking(False)
            waiting.connect_ex(full.getsockname())
        found = doctor.run(f"https://localhost:{full.getsockname()[1]}", "--address", "127.0.0.1", "--timeout", "0.5")
    assert (found.hop, found.cause) == ("TCP", "firewall-drops-connections")


def test_13_nothing_listens(doctor: Doctor) -> None:
    found = doctor.run(f"https://localhost:{free_ports(1)[0]}")
    assert (found.hop, found.cause) == ("TCP", "nothing-listens")


def test_18_redis_is_public(start_nginx: StartNginx, doctor: Doctor) -> None:
    address = certificate.lan_address()
    assert address, "this test needs a network address besides loopback"
    (port,) = free_ports(1)
    command = ["redis-server", "--port", str(port), "--bind", address, "--protected-mode", "no", "--save", ""]
    redis = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    try:
        until(lambda: accepts_at(address, port))
        found = doctor(start_nginx(), "--address", address, "--private-ports", str(port))
        assert f"{address}:{port}" in found.warnings["private-port-is-public"]
        assert found.hop is None
    finally:
        redis.kill()
        redis.wait()


def accepts_at(address: str, port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex((address, port)) == 0


def test_24_the_certificate_has_expired(start_with_certificate: StartWithCertificate, doctor: Doctor) -> None:
    found = doctor(start_with_certificate(days=-1))
    assert (found.hop, found.cause, found.exit_code) == ("TLS", "certificate-expired", 12)


def test_24_the_certificate_is_for_another_name(start_with_certificate: StartWithCertificate, doctor: Doctor) -> None:
    found = doctor(start_with_certificate(name="other.example"))
    assert (found.hop, found.cause) == ("TLS", "certificate-for-another-name")
    assert "other.example" in found.evidence


def test_24_the_chain_is_incomplete(start_with_certificate: StartWithCertificate, doctor: Doctor) -> None:
    found = doctor(start_with_certificate(has_intermediate=False))
    assert (found.hop, found.cause) == ("TLS", "chain-incomplete")


def test_24_the_certificate_is_untrusted(start_nginx: StartNginx, doctor: Doctor) -> None:
    found = doctor.run(start_nginx().url)
    assert (found.hop, found.cause) == ("TLS", "certificate-is-untrusted")


def test_40_the_certificate_is_not_valid_yet(start_with_certificate: StartWithCertificate, doctor: Doctor) -> None:
    found = doctor(start_with_certificate(since=1))
    assert (found.hop, found.cause) == ("TLS", "certificate-not-yet-valid")


def test_24_the_handshake_fails(start_nginx: StartNginx, doctor: Doctor) -> None:
    others = "ssl_protocols TLSv1.2; ssl_ciphers ECDHE-RSA-AES128-GCM-SHA256;"  # the certificate is not RSA
    found = doctor(
        start_nginx(
            {"snippets/tls.conf": [("ssl_protocols TLSv1.2 TLSv1.3;", others), ("ssl_ciphers ECDHE-ECDSA", "# ")]}
        )
    )
    assert (found.hop, found.cause) == ("TLS", "handshake-fails")
    assert "HANDSHAKE_FAILURE" in found.evidence


def test_24_the_certificate_ends_soon(start_with_certificate: StartWithCertificate, doctor: Doctor) -> None:
    found = doctor(start_with_certificate(days=5.5))
    assert "5 days left" in found.warnings["certificate-ends-soon"] or "6 days left" in str(found.warnings)
    assert found.exit_code == 0


def test_24_no_tls_on_this_port(start_nginx: StartNginx, doctor: Doctor) -> None:
    found = doctor.run(f"https://localhost:{start_nginx().http_port}")
    assert (found.hop, found.cause) == ("TLS", "no-tls-on-this-port")


def test_25_only_http2_is_offered(stack: Stack, doctor: Doctor) -> None:
    tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    tls.load_cert_chain(stack.folder / "var/tls/fullchain.pem", stack.folder / "var/tls/privkey.pem")
    tls.set_alpn_protocols(["h2"])
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def serve() -> None:
            with contextlib.suppress(OSError):
                while True:
                    line, _ = listening.accept()
                    with contextlib.suppress(OSError), tls.wrap_socket(line, server_side=True) as secure:
                        secure.recv(1)

        threading.Thread(target=serve, daemon=True).start()
        url = f"https://localhost:{listening.getsockname()[1]}"
        found = doctor.run(url, "--address", "127.0.0.1", "--ca", f"{stack.folder}/var/tls/fullchain.pem")
    assert (found.hop, found.cause) == ("TLS", "only-http2-is-offered")


def test_20_the_name_is_refused(start_nginx: StartNginx, doctor: Doctor) -> None:
    refusing = "server { listen {port} ssl default_server; ssl_reject_handshake on; }\n"
    edits = {
        "target/https-server.conf": [(" default_server", ""), ("server_name localhost", "server_name other.example")],
        "target/http.conf": [('map "" $hsts', refusing + 'map "" $hsts')],
    }
    found = doctor(start_nginx(edits), "--address", "127.0.0.1")
    assert (found.hop, found.cause) == ("TLS", "name-is-refused")
