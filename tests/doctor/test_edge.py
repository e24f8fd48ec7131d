"""Rows of the catalogue before a byte of HTTP: each fault is real, and the doctor names hop and cause."""

import contextlib
import socket
import ssl
import subprocess
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from deploy.local import certificate
from tests.doctor import certificates
from tests.doctor.conftest import Fronted
from tests.doctor.front import Front
from tests.doctor.patient import Doctor
from tests.nginx.served import free_ports, until
from tests.running import Stack

Certified = Callable[..., Front]


@pytest.fixture
def certified(front: Fronted, stack: Stack, tmp_path: Path) -> Certified:
    """nginx with a certificate of certificates.store()."""

    def start(**wrong: object) -> Front:
        root = certificates.store(tmp_path / "tls", **wrong)
        edits = [(f"{stack.folder}/var/tls/", f"{tmp_path}/tls/")]
        return front({"target/https-server.conf": edits}, tls=root)

    return start


def test_19_a_name_without_address(doctor: Doctor) -> None:
    found = doctor.ask("https://nowhere.invalid")
    assert (found.hop, found.cause, found.code) == ("DNS", "name-without-address", 10)


def test_19_one_address_of_several_is_dead(front: Fronted, doctor: Doctor) -> None:
    found = doctor(front(), "--address", "127.0.0.1", "--address", "127.0.0.77", "--address", "127.0.0.1")
    assert found.hop is None  # nginx listens everywhere
    only_here = {"target/https-server.conf": [("listen 0.0.0.0:", "listen 127.0.0.1:")]}
    found = doctor(front(only_here), "--address", "127.0.0.1", "--address", "127.0.0.77")
    assert (found.hop, found.cause, found.code) == ("TCP", "one-address-of-several-is-dead", 11)
    assert "127.0.0.77: connection refused" in found.evidence


def test_17_a_firewall_drops_connections(doctor: Doctor) -> None:
    with contextlib.ExitStack() as held, socket.socket() as full:
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        for _ in range(4):  # more than may wait: the kernel drops what comes next, as a firewall does
            waiting = held.enter_context(socket.socket())
            waiting.setblocking(False)
            waiting.connect_ex(full.getsockname())
        found = doctor.ask(f"https://localhost:{full.getsockname()[1]}", "--address", "127.0.0.1", "--patience", "0.5")
    assert (found.hop, found.cause) == ("TCP", "firewall-drops-connections")


def test_13_nobody_listens(doctor: Doctor) -> None:
    found = doctor.ask(f"https://localhost:{free_ports(1)[0]}")
    assert (found.hop, found.cause) == ("TCP", "nobody-listens")


def test_18_redis_is_public(front: Fronted, doctor: Doctor) -> None:
    address = certificate.lan_address()
    assert address, "this test needs a network address besides loopback"
    (port,) = free_ports(1)
    words = ["redis-server", "--port", str(port), "--bind", address, "--protected-mode", "no", "--save", ""]
    redis = subprocess.Popen(words, stdout=subprocess.DEVNULL)
    try:
        until(lambda: knocked(address, port))
        found = doctor(front(), "--address", address, "--private-ports", str(port))
        assert f"{address}:{port}" in found.warnings["private-port-is-public"]
        assert found.hop is None
    finally:
        redis.kill()
        redis.wait()


def knocked(address: str, port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex((address, port)) == 0


def test_24_the_certificate_has_expired(certified: Certified, doctor: Doctor) -> None:
    found = doctor(certified(days=-1))
    assert (found.hop, found.cause, found.code) == ("TLS", "certificate-expired", 12)


def test_24_the_certificate_is_for_another_name(certified: Certified, doctor: Doctor) -> None:
    found = doctor(certified(name="other.example"))
    assert (found.hop, found.cause) == ("TLS", "certificate-for-another-name")
    assert "other.example" in found.evidence


def test_24_the_chain_is_incomplete(certified: Certified, doctor: Doctor) -> None:
    found = doctor(certified(whole=False))
    assert (found.hop, found.cause) == ("TLS", "chain-incomplete")


def test_24_the_certificate_is_of_nobody(front: Fronted, doctor: Doctor) -> None:
    found = doctor.ask(front().url)
    assert (found.hop, found.cause) == ("TLS", "certificate-of-nobody")


def test_40_the_certificate_is_not_valid_yet(certified: Certified, doctor: Doctor) -> None:
    found = doctor(certified(since=1))
    assert (found.hop, found.cause) == ("TLS", "certificate-not-yet-valid")


def test_24_the_handshake_fails(front: Fronted, doctor: Doctor) -> None:
    others = "ssl_protocols TLSv1.2; ssl_ciphers ECDHE-RSA-AES128-GCM-SHA256;"  # the certificate is no RSA
    found = doctor(
        front({"snippets/tls.conf": [("ssl_protocols TLSv1.2 TLSv1.3;", others), ("ssl_ciphers ECDHE-ECDSA", "# ")]})
    )
    assert (found.hop, found.cause) == ("TLS", "handshake-fails")
    assert "HANDSHAKE_FAILURE" in found.evidence


def test_24_the_certificate_ends_soon(certified: Certified, doctor: Doctor) -> None:
    found = doctor(certified(days=5.5))
    assert "5 days left" in found.warnings["certificate-ends-soon"] or "6 days left" in str(found.warnings)
    assert found.code == 0


def test_24_no_tls_on_this_port(front: Fronted, doctor: Doctor) -> None:
    found = doctor.ask(f"https://localhost:{front().http_port}")
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
        found = doctor.ask(url, "--address", "127.0.0.1", "--ca", f"{stack.folder}/var/tls/fullchain.pem")
    assert (found.hop, found.cause) == ("TLS", "only-http2-is-offered")


def test_20_the_name_is_refused(front: Fronted, doctor: Doctor) -> None:
    refusing = "server { listen {port} ssl default_server; ssl_reject_handshake on; }\n"
    edits = {
        "target/https-server.conf": [(" default_server", ""), ("server_name localhost", "server_name other.example")],
        "target/http.conf": [('map "" $hsts', refusing + 'map "" $hsts')],
    }
    found = doctor(front(edits), "--address", "127.0.0.1")
    assert (found.hop, found.cause) == ("TLS", "name-is-refused")
