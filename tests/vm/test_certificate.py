"""Where the authority gives no certificate, the site serves with one of its own, says why, and tries again."""

from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest

from tests.vm.machine import Machine, Played

NAMES = "openssl x509 -noout -issuer -subject -in /etc/nginx/certificate/fullchain.pem"
BLOCK = """\
nft add table inet blocked
nft 'add chain inet blocked output {{ type filter hook output priority -10; }}'
nft add rule inet blocked output tcp dport {port} reject with tcp reset
"""
TIMER = "certbot-parley.timer"


@pytest.fixture
def without_certificate(vm: Machine, deployed: Played) -> Iterator[Played]:
    """The deployment to a host that has no certificate, and gets none."""
    vm.run("certbot delete --non-interactive --cert-name parley")
    vm.run("rm -f /etc/nginx/certificate")
    authority = urlsplit(vm.variables["site_acme_directory"])
    vm.run(BLOCK.format(port=authority.port or 443))
    variables = vm.site_variables()
    variables["ARGS"] += " -e site_accept=certificate-authority"  # the look before would stop the deployment
    try:
        yield vm.make("deploy", **variables)
    finally:
        vm.run("nft delete table inet blocked", check=False)
        vm.make("deploy", **vm.site_variables()).check()


def is_self_signed(vm: Machine) -> bool:
    issuer, subject = (line.partition("=")[2].strip() for line in vm.run(NAMES).splitlines())
    return issuer == subject


def is_active(vm: Machine, unit: str) -> bool:
    return vm.run(f"systemctl is-active {unit}", check=False).strip() == "active"


def test_the_site_serves_without_an_authority_and_gets_its_certificate_later(
    vm: Machine, without_certificate: Played
) -> None:
    played, output = without_certificate, " ".join(without_certificate.output.split())
    assert played.code != 0
    authority = urlsplit(vm.variables["site_acme_directory"]).hostname
    assert (
        "The site serves, with a certificate of its own that browsers do not accept. "
        f"The host cannot reach the certificate authority, {authority}: Connection refused." in output
    )
    assert "The host tries again every hour. To try at once, on the host: systemctl start certbot-parley" in output
    # Everything else is in place: the doctor has followed a browser's way, and a client is connected.
    assert "The WebSocket works" in output
    smoke = f"/opt/parley/current/deploy/smoke.py https://{vm.domain} --connect 127.0.0.1"
    vm.run(f"{smoke} --trust /etc/nginx/certificate/fullchain.pem")
    assert is_active(vm, TIMER)

    # As the timer does it.
    vm.run("systemctl start certbot-parley.service", check=False)
    assert "Connection refused" in vm.run("journalctl --unit certbot-parley --lines 30 --output cat")
    assert is_self_signed(vm)
    vm.run("nft delete table inet blocked")
    vm.run("systemctl start certbot-parley.service")
    assert not is_self_signed(vm)
    assert not is_active(vm, TIMER)
    vm.run(f"{smoke} --trust /etc/nginx/certificate/fullchain.pem")

    again = vm.make("deploy", **vm.site_variables()).check()
    assert again.recap(vm.variables["ansible_host"])["changed"] == 0
