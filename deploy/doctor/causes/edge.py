"""Before a byte of HTTP: the name, the connection, the certificate."""

from collections.abc import Callable

from deploy.doctor.catalogue import Hop, row
from deploy.doctor.seen import Seen, Tls
from deploy.doctor.wire import WORDS

RENEW_DAYS = 14  # certbot renews 30 days before the end: two weeks later something is broken


@row(19, Hop.NAME, "The name has no address.", "Add an A (and AAAA) record for it, or correct the address you typed.")
def name_without_address(seen: Seen) -> str | None:
    return f"{seen.asked.host}: {seen.name_error or 'no A or AAAA record'}" if not seen.addresses else None


@row(
    19,
    Hop.TCP,
    "Only some of the name's addresses answer: it works for some visitors and not for others.",
    "Listen on both (`listen 443 ssl; listen [::]:443 ssl;`), or remove the record of the address that is not yours.",
)
def one_address_of_several_is_dead(seen: Seen) -> str | None:
    dead = {address: word for address, word in seen.tcp.items() if word and word != "unreachable"}
    if not dead or not seen.working:
        return None
    return ", ".join(f"{address}: {WORDS.get(word, word)}" for address, word in dead.items())


@row(
    17,
    Hop.TCP,
    "A firewall drops the connection: nothing comes back, not even a refusal.",
    "Open TCP 80 and 443: the cloud's rules (Azure: network security group), then the machine's (`ufw allow 443/tcp`).",
)
def firewall_drops_connections(seen: Seen) -> str | None:
    if "timeout" not in seen.tcp.values() or seen.working:
        return None
    waited = f"no answer from {', '.join(seen.tcp)} port {seen.asked.port} within {seen.asked.patience:g} s"
    inside = seen.inside.local if seen.inside else None
    return waited + ("; 127.0.0.1 answers" if inside and not inside.error else "")


@row(
    13,
    Hop.TCP,
    "Nobody listens on the site's port.",
    "Start nginx: `systemctl status nginx`, `nginx -t`; or the port that you typed is another one.",
)
def nobody_listens(seen: Seen) -> str | None:
    if seen.working or not seen.tcp:
        return None
    return ", ".join(f"{at} port {seen.asked.port}: {WORDS.get(word, word)}" for at, word in seen.tcp.items())


@row(
    18,
    Hop.TCP,
    "A port that only the site itself may use answers to everybody (Docker publishes past ufw).",
    "Publish it on 127.0.0.1 only (`127.0.0.1:6379:6379`) or not at all; in Redis: `bind 127.0.0.1`.",
    warning=True,
)
def private_port_is_public(seen: Seen) -> str | None:
    return f"{', '.join(seen.open_ports)} accepts connections" if seen.open_ports else None


def about(seen: Seen, true: Callable[[Tls], bool]) -> str | None:
    """The first address whose handshake is like this, and what was said there."""
    for address, tls in seen.tls.items():
        if true(tls):
            names = f"; it is for {', '.join(tls.names[:4])}" if tls.names else ""
            return f"{address}: {WORDS.get(tls.error, tls.error)}{names}"
    return None


@row(
    24,
    Hop.TLS,
    "The certificate has expired.",
    "Renew it (`certbot renew`), then `systemctl reload nginx`; a deploy hook of certbot's does so by itself.",
)
def certificate_expired(seen: Seen) -> str | None:
    return about(seen, lambda tls: tls.code == 10)


@row(
    40,
    Hop.TLS,
    "The certificate is not valid yet: one of the two clocks is wrong.",
    "`timedatectl set-ntp true` on the machine that is behind, then try again.",
)
def certificate_not_yet_valid(seen: Seen) -> str | None:
    return about(seen, lambda tls: tls.code == 9)


@row(
    24,
    Hop.TLS,
    "The certificate is for another name.",
    "Get one for this name (`certbot -d NAME`), or fix `server_name`: the default server may have answered.",
)
def certificate_for_another_name(seen: Seen) -> str | None:
    return about(seen, lambda tls: tls.code in (62, 64))


@row(
    24,
    Hop.TLS,
    "The server does not send its intermediate certificates: browsers that know them by chance work, others fail.",
    "ssl_certificate must be fullchain.pem, not cert.pem; then `systemctl reload nginx`.",
)
def chain_incomplete(seen: Seen) -> str | None:
    return about(seen, lambda tls: tls.code in (2, 20, 21))


@row(
    24,
    Hop.TLS,
    "The certificate is signed by nobody that browsers trust.",
    "Get one from an authority (`certbot`); if it is meant to be so, run the doctor with --ca FILE or --insecure.",
)
def certificate_of_nobody(seen: Seen) -> str | None:
    return about(seen, lambda tls: tls.code != 0)


@row(
    25,
    Hop.TLS,
    "The front offers HTTP/2 only, and browsers open WebSockets by HTTP/1.1.",
    "Keep http/1.1 in its ALPN list beside h2 (nginx does; other fronts have a setting for it).",
)
def only_http2_is_offered(seen: Seen) -> str | None:
    for address, tls in seen.tls.items():
        if tls.chosen_with_h2 == "h2" and tls.alpn != "http/1.1":
            return f"{address}: offered h2 and http/1.1 it takes h2; offered http/1.1 alone: {tls.error or 'none'}"
    return None


@row(
    20,
    Hop.TLS,
    "The server knows no site of this name, and refuses the handshake.",
    "Add the name to server_name (and, with the host target, to nginx/targets/host/server-name.conf); reload nginx.",
)
def name_is_refused(seen: Seen) -> str | None:
    return about(seen, lambda tls: "UNRECOGNIZED_NAME" in tls.error)


@row(
    24,
    Hop.TLS,
    "What listens on this port speaks no TLS.",
    "`listen 443 ssl;`, not `listen 443;`; or you typed the port of plain http.",
)
def no_tls_on_this_port(seen: Seen) -> str | None:
    return about(
        seen,
        lambda tls: any(
            word in tls.error for word in ("WRONG_VERSION", "HTTP_REQUEST", "RECORD_LAYER", "PACKET_LENGTH")
        ),
    )


@row(
    29,
    Hop.TLS,
    "nginx takes the connection and drops it at once: its worker_connections are used up.",
    "Raise worker_connections (two for each socket, listeners count) and worker_rlimit_nofile; its log says so.",
)
def connections_exhausted(seen: Seen) -> str | None:
    return about(seen, lambda tls: tls.error in ("ended", "reset"))


@row(
    24,
    Hop.TLS,
    "The TLS handshake fails.",
    "`openssl s_client -connect HOST:443 -servername HOST` shows more; compare ssl_protocols and ssl_ciphers.",
)
def handshake_fails(seen: Seen) -> str | None:
    return about(seen, lambda tls: bool(tls.error))


@row(
    24,
    Hop.TLS,
    "The certificate ends soon, so its renewal does not work.",
    "`certbot renew --dry-run` says why; `systemctl list-timers` whether it runs at all.",
    warning=True,
)
def certificate_ends_soon(seen: Seen) -> str | None:
    for address, tls in seen.tls.items():
        if tls.days is not None and tls.days < RENEW_DAYS and not tls.error:
            return f"{address}: {tls.days:.0f} days left"
    return None
