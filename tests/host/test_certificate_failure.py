"""Where the authority gives no certificate, one sentence says why, and one what to do. The texts are real ones."""

import pytest

from deploy.certificate_failure import AskingHost, explain_failure

NAME = "chat.example.org"
HINT = """
Hint: The Certificate Authority failed to download the temporary challenge files created by Certbot. Ensure that the \
listed domains serve their content from the provided --webroot-path/-w and that files created there can be downloaded \
from the internet.

Some challenges have failed.
"""
END = """Ask for help or search for solutions at https://community.letsencrypt.org. See the logfile \
/var/log/letsencrypt/letsencrypt.log or re-run Certbot with -v for more details.
"""


def challenge(kind: str, detail: str) -> str:
    """Return what certbot prints when the authority did not get the file of the challenge."""
    return (
        f"Saving debug log to /var/log/letsencrypt/letsencrypt.log\nRequesting a certificate for {NAME}\n\n"
        "Certbot failed to authenticate some domains (authenticator: webroot). "
        "The Certificate Authority reported these problems:\n"
        f"  Domain: {NAME}\n  Type:   {kind}\n  Detail: {detail}\n{HINT}{END}"
    )


def unexpected(error: str) -> str:
    """Return what certbot prints when the authority or the way to it fails."""
    return f"Saving debug log to /var/log/letsencrypt/letsencrypt.log\nAn unexpected error occurred:\n{error}\n{END}"


FILE = f"http://{NAME}/.well-known/acme-challenge/zG7txtWShyKmxOOB0EWbQxpWyHuiQ945oLPfNnl2Jnc"
FILE_80 = FILE.replace(NAME, f"{NAME}:80")
RESOLVED = AskingHost(NAME, ("203.0.113.5", "2001:db8::5"))


@pytest.mark.parametrize(
    ("output", "sentence", "fix"),
    [
        pytest.param(
            challenge(
                "dns",
                f"DNS problem: NXDOMAIN looking up A for {NAME} - check that a DNS record exists for this domain; "
                f"DNS problem: NXDOMAIN looking up AAAA for {NAME} - check that a DNS record exists for this domain",
            ),
            "The certificate authority finds no address of chat.example.org: the name is not in DNS.",
            "Add an A record of chat.example.org with the host's address, 203.0.113.5.",
            id="no record",
        ),
        pytest.param(
            challenge("connection", f'Get "{FILE_80}": could not resolve URL "{FILE_80}"'),
            "The certificate authority finds no address of chat.example.org: the name is not in DNS.",
            "Add an A record of chat.example.org with the host's address, 203.0.113.5.",
            id="no record, pebble",
        ),
        pytest.param(
            challenge("connection", f"203.0.113.5: Fetching {FILE}: Timeout during connect (likely firewall problem)"),
            "Port 80 of chat.example.org (203.0.113.5) does not answer the certificate authority.",
            "Open TCP port 80 in the firewall before the host (of a cloud: the security group).",
            id="filtered",
        ),
        pytest.param(
            challenge("connection", f'Get "{FILE_80}": dial tcp 203.0.113.5:80: connect: no route to host'),
            "Port 80 of chat.example.org (203.0.113.5) does not answer the certificate authority.",
            "Open TCP port 80 in the firewall before the host (of a cloud: the security group).",
            id="no route, pebble",
        ),
        pytest.param(
            challenge("connection", f"2001:db8::5: Fetching {FILE}: Connection refused"),
            "Port 80 of chat.example.org (2001:db8::5) refuses the certificate authority: nothing listens there.",
            "Run `systemctl status nginx` on the host; where nginx runs, the name leads to another machine.",
            id="refused",
        ),
        pytest.param(
            challenge("connection", f"203.0.113.99: Fetching {FILE}: Connection refused"),
            "chat.example.org leads to 203.0.113.99, and the host is 203.0.113.5, 2001:db8::5.",
            "Correct the A and AAAA records of chat.example.org, and wait until they are known.",
            id="another machine",
        ),
        pytest.param(
            challenge("unauthorized", f"203.0.113.5: Invalid response from {FILE}: 404"),
            "The certificate authority gets 404 from port 80 of chat.example.org, and not the file of the challenge: "
            "another program or machine answers.",
            "Let http://chat.example.org/.well-known/acme-challenge/ lead to this host: correct the records of the "
            "name, or the proxy before the host.",
            id="another answer",
        ),
        pytest.param(
            challenge("unauthorized", f"Non-200 status code from HTTP: {FILE_80} returned 404"),
            "The certificate authority gets 404 from port 80 of chat.example.org, and not the file of the challenge: "
            "another program or machine answers.",
            "Let http://chat.example.org/.well-known/acme-challenge/ lead to this host: correct the records of the "
            "name, or the proxy before the host.",
            id="another answer, pebble",
        ),
        pytest.param(
            challenge("caa", f"While processing CAA for {NAME}: CAA record for {NAME} prevents issuance"),
            "The CAA record of chat.example.org does not allow this certificate authority.",
            "Add the authority to the CAA record of chat.example.org.",
            id="CAA",
        ),
        pytest.param(
            unexpected(
                "Error creating new order :: too many certificates (5) already issued for this exact set of "
                "identifiers in the last 168h0m0s, retry after 2026-01-03 12:05:18 UTC: "
                "see https://letsencrypt.org/docs/rate-limits/#new-certificates-per-exact-set-of-identifiers"
            ),
            "The certificate authority's rate limit is reached: too many certificates (5) already issued for this "
            "exact set of identifiers in the last 168h0m0s.",
            "Wait: the host tries again by itself, and it succeeds after 2026-01-03 12:05:18 UTC.",
            id="rate limit",
        ),
        pytest.param(
            unexpected(
                "Error creating new order :: too many failed authorizations recently: "
                "see https://letsencrypt.org/docs/failed-validation-limit/"
            ),
            "The certificate authority's rate limit is reached: too many failed authorizations recently.",
            "Wait: the host tries again by itself, and it succeeds later.",
            id="rate limit without a time",
        ),
        pytest.param(
            unexpected("ValueError: Requesting acme.lab/dir: Connection refused"),
            "The host cannot reach the certificate authority, acme.lab: Connection refused.",
            "Allow that connection in the firewall of the network, or correct site_acme_directory.",
            id="authority refuses",
        ),
        pytest.param(
            unexpected("ValueError: Requesting 172.30.0.88/dir: No route to host"),
            "The host cannot reach the certificate authority, 172.30.0.88: No route to host.",
            "Allow that connection in the firewall of the network, or correct site_acme_directory.",
            id="authority is away",
        ),
        pytest.param(
            unexpected(
                "requests.exceptions.ConnectionError: HTTPSConnectionPool(host='acme.nowhere.test', port=14000): "
                'Max retries exceeded with url: /dir (Caused by NameResolutionError("<urllib3.connection.'
                "HTTPSConnection object at 0x7f0399c43a10>: Failed to resolve 'acme.nowhere.test' ([Errno -2] Name or "
                'service not known)"))'
            ),
            "The host cannot resolve the name of the certificate authority, acme.nowhere.test.",
            "Correct the name servers of the host (`resolvectl status`, or /etc/resolv.conf), or site_acme_directory.",
            id="authority has no address",
        ),
        pytest.param(
            unexpected(
                "requests.exceptions.ConnectTimeout: HTTPSConnectionPool(host='acme.lab', port=14000): Max retries "
                "exceeded with url: /dir (Caused by ConnectTimeoutError(<urllib3.connection.HTTPSConnection object at "
                "0x7f>, 'Connection to acme.lab timed out. (connect timeout=45)'))"
            ),
            "The host cannot reach the certificate authority: it does not answer.",
            "Allow that connection in the firewall of the network, or correct site_acme_directory.",
            id="authority does not answer",
        ),
        pytest.param(
            unexpected(
                "requests.exceptions.SSLError: HTTPSConnectionPool(host='acme.lab', port=14000): Max retries "
                "exceeded with url: /dir (Caused by SSLError(SSLCertVerificationError(1, '[SSL: "
                "CERTIFICATE_VERIFY_FAILED] certificate verify failed: unable to get local issuer certificate "
                "(_ssl.c:1016)')))"
            ),
            "The host does not trust the certificate of the authority itself.",
            "Set site_acme_ca to a file on the host with the CA certificate of the authority's own https.",
            id="authority is not trusted",
        ),
        pytest.param(
            unexpected("Order included DNS identifier with a value containing an illegal character: '_'"),
            "certbot obtained no certificate for chat.example.org: "
            "Order included DNS identifier with a value containing an illegal character: '_'",
            "Read /var/log/letsencrypt/letsencrypt.log on the host.",
            id="another refusal",
        ),
        pytest.param(
            "Another instance of Certbot is already running.\n" + END,
            "Another certbot runs on the host at this moment.",
            "Wait: the host tries again by itself.",
            id="another certbot",
        ),
        pytest.param(
            "",
            "certbot obtained no certificate for chat.example.org: it printed nothing",
            "Read /var/log/letsencrypt/letsencrypt.log on the host.",
            id="nothing",
        ),
    ],
)
def test_a_failure_is_explained_in_two_sentences(output: str, sentence: str, fix: str) -> None:
    failure = explain_failure(output, RESOLVED)
    assert (failure.sentence, failure.fix) == (sentence, fix)


@pytest.mark.parametrize(
    ("firewall", "fix"),
    [
        ("ufw", "ufw allow 80/tcp"),
        ("firewalld", "firewall-cmd --permanent --add-service=http"),
        ("own_rules", "tcp dport 80 accept"),
        ("table", "security group"),
        ("", "security group"),
    ],
)
def test_the_fix_is_that_of_the_firewall_of_the_host(firewall: str, fix: str) -> None:
    output = challenge("connection", f"203.0.113.5: Fetching {FILE}: Timeout during connect (likely firewall problem)")
    assert fix in explain_failure(output, AskingHost(NAME, ("203.0.113.5",), firewall)).fix


def test_a_host_of_a_cloud_that_does_not_know_its_public_address_is_not_called_another_machine() -> None:
    output = challenge("connection", f"8.8.4.4: Fetching {FILE}: Timeout during connect (likely firewall problem)")
    failure = explain_failure(output, AskingHost(NAME, ("10.0.0.4",)))
    assert failure.sentence == "Port 80 of chat.example.org (8.8.4.4) does not answer the certificate authority."
