"""The host names to which the site answers."""

import socket
import ssl

import pytest

from tests.acceptance.site import Site

QUESTION = "GET / HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n\r\n"


def asked(site: Site, *, server_name: str, host: str) -> str:
    """Return the whole answer, or nothing where the connection is closed."""
    trust = site.trust
    trust.check_hostname = False  # the certificate is not for that name; its authority is verified
    try:
        with (
            socket.create_connection(site.address, timeout=30) as plain,
            trust.wrap_socket(plain, server_hostname=server_name) as tls,
        ):
            tls.sendall(QUESTION.format(host).encode())
            return b"".join(iter(lambda: tls.recv(65536), b"")).decode(errors="replace")
    except (ssl.SSLError, ConnectionError):
        return ""


@pytest.mark.parametrize("server_name", ["its own", "another"])
def test_an_unknown_name_gets_a_page_only_where_the_site_answers_to_any_name(site: Site, server_name: str) -> None:
    ours = asked(site, server_name=site.host, host=site.url.removeprefix("https://"))
    assert ours.startswith("HTTP/1.1 200")
    answer = asked(site, server_name=site.host if server_name == "its own" else "evil.example", host="evil.example")
    assert ("Every message arrives" in answer) == ("named" not in site.traits)
    assert "Every message arrives" in ours
