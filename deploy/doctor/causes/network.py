"""Causes before the first byte of HTTP: the name, the connection, the certificate.

The certificate's errors are OpenSSL's numbers, X509_V_ERR_* in its x509_vfy.h.
"""

from collections.abc import Callable

from deploy.doctor.catalogue import Hop, register_cause
from deploy.doctor.http_client import describe_error
from deploy.doctor.observations import Observations, TlsHandshake

RENEW_DAYS = 14  # certbot renews 30 days before the end, so with 14 days left the renewal does not work
NO_TLS_ERRORS = ("WRONG_VERSION", "HTTP_REQUEST", "RECORD_LAYER", "PACKET_LENGTH")  # parts of OpenSSL's error texts

CERT_NOT_YET_VALID = 9
CERT_HAS_EXPIRED = 10
NAME_MISMATCHES = (62, 64)  # of a host name, of an IP address
MISSING_ISSUERS = (2, 20, 21)


@register_cause(
    19,
    Hop.DNS,
    "The name has no address.",
    "Add an A record (and an AAAA record) for the name, or correct the name that you typed.",
)
def name_without_address(observations: Observations) -> str | None:
    """Apply when DNS has no address for the name."""
    if observations.addresses:
        return None
    return f"{observations.options.host}: {observations.dns_error or 'no A or AAAA record'}"


@register_cause(
    19,
    Hop.TCP,
    "Only some of the name's addresses answer, so the site works for some visitors and not for others.",
    "Listen on both (`listen 443 ssl; listen [::]:443 ssl;`), or remove the record of the address that is not yours.",
)
def one_address_of_several_is_dead(observations: Observations) -> str | None:
    """Apply when some addresses accept connections and others do not; one without a route from here does not count."""
    dead = {address: kind for address, kind in observations.tcp_errors.items() if kind and kind != "unreachable"}
    if not dead or not observations.reachable_addresses:
        return None
    return ", ".join(f"{address}: {describe_error(kind)}" for address, kind in dead.items())


@register_cause(
    17,
    Hop.TCP,
    "A firewall drops the connection: nothing comes back, not even a refusal.",
    "Open TCP 80 and 443 in the cloud's rules (Azure: network security group) and on the host (`ufw allow 443/tcp`).",
)
def firewall_drops_connections(observations: Observations) -> str | None:
    """Apply when no address accepts a connection and at least one never answers."""
    if "timeout" not in observations.tcp_errors.values() or observations.reachable_addresses:
        return None
    options = observations.options
    addresses = ", ".join(observations.tcp_errors)
    waited = f"no answer from {addresses} port {options.port} within {options.timeout:g} s"
    local = observations.host.local_handshake if observations.host else None
    return waited + ("; 127.0.0.1 answers" if local and not local.error else "")


@register_cause(
    13,
    Hop.TCP,
    "No server listens on the site's port.",
    "Start nginx (`systemctl status nginx`, `nginx -t`), or correct the port that you typed.",
    former_name="nobody-listens",
)
def nothing_listens(observations: Observations) -> str | None:
    """Apply when every address refuses the connection."""
    if observations.reachable_addresses or not observations.tcp_errors:
        return None
    port = observations.options.port
    errors = observations.tcp_errors.items()
    return ", ".join(f"{address} port {port}: {describe_error(kind)}" for address, kind in errors)


@register_cause(
    18,
    Hop.TCP,
    "A private port of the site accepts connections from everywhere. Docker publishes ports past ufw.",
    "Publish it on 127.0.0.1 only (`127.0.0.1:6379:6379`) or not at all; in Redis: `bind 127.0.0.1`.",
    is_warning=True,
)
def private_port_is_public(observations: Observations) -> str | None:
    """Apply when Redis or PostgreSQL accept connections on an address that is not loopback."""
    ports = observations.public_ports
    return f"{', '.join(ports)} accepts connections" if ports else None


def describe_first(observations: Observations, is_wanted: Callable[[TlsHandshake], bool]) -> str | None:
    """Return the address and the error of the first TLS handshake that is wanted, or None."""
    for address, tls in observations.tls.items():
        if is_wanted(tls):
            names = f"; it is for {', '.join(tls.names[:4])}" if tls.names else ""
            return f"{address}: {describe_error(tls.error)}{names}"
    return None


@register_cause(
    24,
    Hop.TLS,
    "The certificate has expired.",
    "Renew it (`certbot renew`), then `systemctl reload nginx`. A deploy hook of certbot reloads nginx automatically.",
)
def certificate_expired(observations: Observations) -> str | None:
    """Apply when OpenSSL finds the certificate expired."""
    return describe_first(observations, lambda tls: tls.verify_code == CERT_HAS_EXPIRED)


@register_cause(
    40,
    Hop.TLS,
    "The certificate is not valid yet: the clock of this machine or of the server is wrong.",
    "Run `timedatectl set-ntp true` on the machine whose clock is behind, then try again.",
)
def certificate_not_yet_valid(observations: Observations) -> str | None:
    """Apply when the certificate's validity begins in the future."""
    return describe_first(observations, lambda tls: tls.verify_code == CERT_NOT_YET_VALID)


@register_cause(
    24,
    Hop.TLS,
    "The certificate is for another name.",
    "Get one for this name (`certbot -d NAME`), or correct `server_name`: the default server may have answered.",
)
def certificate_for_another_name(observations: Observations) -> str | None:
    """Apply when the certificate does not have the site's name."""
    return describe_first(observations, lambda tls: tls.verify_code in NAME_MISMATCHES)


@register_cause(
    24,
    Hop.TLS,
    "The server does not send its intermediate certificates. Browsers that have them stored work, others fail.",
    "Set ssl_certificate to fullchain.pem and not to cert.pem, then `systemctl reload nginx`.",
)
def chain_incomplete(observations: Observations) -> str | None:
    """Apply when OpenSSL does not find the issuer of a certificate."""
    return describe_first(observations, lambda tls: tls.verify_code in MISSING_ISSUERS)


@register_cause(
    24,
    Hop.TLS,
    "The certificate is not signed by an authority that browsers trust.",
    "Get one from an authority (`certbot`). If it is meant to be so, run the doctor with --ca FILE or --insecure.",
    former_name="certificate-of-nobody",
)
def certificate_is_untrusted(observations: Observations) -> str | None:
    """Apply to every other error in the certificate."""
    return describe_first(observations, lambda tls: tls.verify_code != 0)


@register_cause(
    25,
    Hop.TLS,
    "The server offers HTTP/2 only, and browsers open WebSockets with HTTP/1.1.",
    "Keep http/1.1 in the server's ALPN list beside h2. nginx does; other servers have a setting for it.",
)
def only_http2_is_offered(observations: Observations) -> str | None:
    """Apply when the server chooses h2 and does not accept http/1.1 alone."""
    for address, tls in observations.tls.items():
        if tls.alpn_with_h2 == "h2" and tls.alpn != "http/1.1":
            alone = tls.error or "none"
            return f"{address}: offered h2 and http/1.1 it chooses h2; offered http/1.1 alone: {alone}"
    return None


@register_cause(
    20,
    Hop.TLS,
    "The server has no site of this name and refuses the TLS handshake.",
    "Add the name to server_name (on a host also to nginx/targets/host/server-name.conf), and reload nginx.",
)
def name_is_refused(observations: Observations) -> str | None:
    """Apply when the server sends the TLS alert unrecognized_name."""
    return describe_first(observations, lambda tls: "UNRECOGNIZED_NAME" in tls.error)


@register_cause(
    24,
    Hop.TLS,
    "The server on this port does not speak TLS.",
    "Write `listen 443 ssl;` and not `listen 443;`, or correct the port: you may have typed the port of plain http.",
)
def no_tls_on_this_port(observations: Observations) -> str | None:
    """Apply when the answer to the TLS handshake is not TLS."""
    return describe_first(observations, lambda tls: any(text in tls.error for text in NO_TLS_ERRORS))


@register_cause(
    29,
    Hop.TLS,
    "nginx accepts the connection and closes it at once: all of its worker_connections are in use.",
    "Raise worker_connections (two for each WebSocket; listeners count) and worker_rlimit_nofile. nginx logs it.",
)
def connections_exhausted(observations: Observations) -> str | None:
    """Apply when the connection ends before TLS begins."""
    return describe_first(observations, lambda tls: tls.error in ("ended", "reset"))


@register_cause(
    24,
    Hop.TLS,
    "The TLS handshake fails.",
    "Run `openssl s_client -connect HOST:443 -servername HOST`, and compare ssl_protocols and ssl_ciphers.",
)
def handshake_fails(observations: Observations) -> str | None:
    """Apply to every other error of the TLS handshake."""
    return describe_first(observations, lambda tls: bool(tls.error))


@register_cause(
    24,
    Hop.TLS,
    "The certificate ends soon, so its renewal does not work.",
    "Run `certbot renew --dry-run`, which says why it fails. `systemctl list-timers` shows whether it runs at all.",
    is_warning=True,
)
def certificate_ends_soon(observations: Observations) -> str | None:
    """Apply when fewer than RENEW_DAYS are left."""
    for address, tls in observations.tls.items():
        if tls.days_left is not None and tls.days_left < RENEW_DAYS and not tls.error:
            return f"{address}: {tls.days_left:.0f} days left"
    return None
