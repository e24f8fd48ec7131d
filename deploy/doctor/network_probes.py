"""The probes of the first three hops: DNS, TCP and TLS."""

import socket
import ssl
import time
from dataclasses import replace

from deploy.doctor.http_client import Target, classify_error
from deploy.doctor.observations import Observations, Options, TlsHandshake

PRIVATE_PORT_TIMEOUT_SECONDS = 0.5
SECONDS_PER_DAY = 86400


def make_tls_context(options: Options, *protocols: str) -> ssl.SSLContext:
    """Return a context that trusts what the operator trusts and offers these protocols (default: http/1.1) in ALPN."""
    context = ssl.create_default_context(cafile=options.ca_file)
    if options.ca_file:
        context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN  # the file may end with an intermediate certificate
    if options.trust_any_certificate:
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    context.set_alpn_protocols(protocols or ("http/1.1",))
    return context


def resolve_name(observations: Observations) -> None:
    """Observe the addresses of the site's name."""
    options = observations.options
    if options.addresses:
        observations.addresses = list(options.addresses)
        return
    try:
        entries = socket.getaddrinfo(options.host, options.port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        observations.dns_error = getattr(error, "strerror", None) or str(error)
        return
    observations.addresses = list(dict.fromkeys(str(entry[4][0]) for entry in entries))


def probe_tcp(observations: Observations) -> None:
    """Observe which addresses accept connections, at the site's port and at ports that must be private."""
    options = observations.options
    for address in observations.addresses:
        observations.tcp_errors[address] = probe_port(address, options.port, options.timeout)
    for address in observations.reachable_addresses:
        if is_loopback(address):
            continue
        for port in options.private_ports:
            if not probe_port(address, port, PRIVATE_PORT_TIMEOUT_SECONDS):
                observations.public_ports.append(f"{address}:{port}")


def probe_port(address: str, port: int, timeout: float) -> str:
    """Return an empty text when the port accepts a connection within `timeout` seconds, else the kind of error."""
    try:
        socket.create_connection((address, port), timeout=timeout).close()
    except OSError as error:
        return classify_error(error)
    return ""


def is_loopback(address: str) -> bool:
    """Whether the address is this machine's own, as the host's private services may use it."""
    return address.startswith("127.") or address in ("::1", "localhost")


def probe_tls(observations: Observations) -> None:
    """Observe the TLS handshake with each reachable address."""
    for address in observations.reachable_addresses:
        observations.tls[address] = probe_tls_at(observations, address)


def probe_tls_at(observations: Observations, address: str) -> TlsHandshake:
    """Return the TLS handshake with one address, with what ALPN chooses when h2 is offered as well."""
    options, target = observations.options, observations.target(address)
    result = tls_handshake(target, make_tls_context(options), options.timeout)
    result.alpn_with_h2 = result.alpn
    if not result.error or result.verify_code == 0:
        with_h2 = tls_handshake(target, make_tls_context(options, "h2", "http/1.1"), options.timeout)
        result.alpn_with_h2 = with_h2.alpn
    if result.verify_code:  # find out for which names the certificate is
        any_name = make_tls_context(options)
        any_name.check_hostname = False
        result.names = tls_handshake(target, any_name, options.timeout).names
    return result


def tls_handshake(target: Target, context: ssl.SSLContext, timeout: float) -> TlsHandshake:
    """Make one TLS handshake and close the connection. An error becomes part of the result."""
    try:
        with replace(target, tls=context).open(timeout).socket as connected:
            assert isinstance(connected, ssl.SSLSocket)
            certificate = connected.getpeercert() or {}
            days_left = None
            if isinstance(not_after := certificate.get("notAfter"), str):
                days_left = (ssl.cert_time_to_seconds(not_after) - time.time()) / SECONDS_PER_DAY
            entries = certificate.get("subjectAltName", ())
            names = tuple(str(entry[1]) for entry in entries if isinstance(entry, tuple))
            return TlsHandshake(
                version=connected.version() or "",
                alpn=connected.selected_alpn_protocol(),
                days_left=days_left,
                names=names,
            )
    except ssl.SSLCertVerificationError as error:
        return TlsHandshake(error.verify_message, error.verify_code)
    except OSError as error:
        return TlsHandshake(classify_error(error))
