"""What an operator relies on: nothing changes by itself, everything comes back by itself, little is exposed."""

import re
import time
from uuid import uuid4

import pytest

from tests.docker.crowd import Talk, crowd
from tests.vm.machine import Machine, Witnessed

# systemd-analyze's scores; lower is better. What was reached, not what would do.
EXPOSURE = {
    "parley-web.service": 0.3,
    "parley-ws@1.service": 0.3,
    "parley-release@x.service": 0.3,
    "parley-backup.service": 0.3,
    "parley-prune.service": 0.3,
    "parley-restore@x.service": 0.3,
    "nginx.service": 2.3,
}
HANDSHAKE = (
    "curl -s --http1.1 -o /dev/null -w '%{http_code}' -m 2 --unix-socket /run/parley/ws1.sock -H 'Connection: Upgrade'"
    " -H 'Upgrade: websocket' -H 'Sec-WebSocket-Version: 13' -H 'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=='"
)


def test_a_second_run_changes_nothing(vm: Machine, deployed: None) -> None:
    played = vm.playbook("site.yml").well()
    assert played.recap(vm.name)["changed"] == 0, played.said


def test_a_wrong_variable_stops_before_anything_is_changed(vm: Machine) -> None:
    played = vm.playbook("site.yml", "-e", "parley_domain=nonsense")
    assert played.code != 0
    assert "parley_domain is 'nonsense'" in played.said
    assert played.recap(vm.name)["changed"] == 0


@pytest.mark.parametrize("unit", EXPOSURE)
def test_little_is_exposed(vm: Machine, deployed: None, unit: str, record_property) -> None:
    said = vm.run(f"systemd-analyze security --no-pager {unit} | tail -1")
    score = float(re.search(r": ([\d.]+)", said)[1])  # type: ignore[index]
    record_property(f"exposure {unit}", score)
    assert score <= EXPOSURE[unit]


def test_units_are_well_formed(vm: Machine, deployed: None) -> None:
    units = (
        f"parley.target parley-web.service parley-ws@1.service parley-release@{vm.release}.service parley-backup.timer"
    )
    assert vm.run(f"systemd-analyze verify --man=no {units} parley-prune.timer parley-restore@x.service 2>&1") == ""


def test_a_stuck_server_is_ended_and_back(vm: Machine, site: Witnessed, record_property) -> None:
    pid = vm.pid("parley-ws@1.service")
    began = time.monotonic()
    vm.run(f"kill -STOP {pid}")
    vm.until(f"sh -c '! systemctl show --value -p MainPID parley-ws@1 | grep -qx {pid}'", seconds=15)
    vm.until(
        "curl -sf -m 1 --unix-socket /run/parley/ws1.sock http://localhost/livez -H 'Host: " + vm.domain + "'",
        seconds=15,
    )
    seconds = time.monotonic() - began
    record_property("stuck_until_back_seconds", round(seconds, 1))
    assert seconds < 10
    assert "watchdog" in vm.run("journalctl -u parley-ws@1 --since -30s -o cat").lower()


async def test_a_renewed_certificate_drops_nobody(vm: Machine, site: Witnessed, record_property) -> None:
    serial = "openssl x509 -noout -serial -in /etc/letsencrypt/live/parley/fullchain.pem"
    shown = f"true | openssl s_client -connect 127.0.0.1:443 -servername {vm.domain} 2>&1 | openssl x509 -noout -serial"
    before = vm.run(serial)
    cookies = await site.cookies(10)
    async with crowd(site, cookies, f"t-{uuid4().hex[:8]}", 100) as members, Talk(members, 20) as talk:
        await talk.acks(20)
        vm.run("certbot renew --force-renewal --cert-name parley --no-random-sleep-on-renew")
        assert vm.run(serial) != before
        vm.until(f'sh -c \'[ "$({shown})" = "$({serial})" ]\'', seconds=10)
        await talk.acks(100)
        assert site.codes == {}
        assert all(member.away == [] for member in members)
    record_property("messages", len(talk.acked))


def test_a_reboot_brings_everything_back(vm: Machine, site: Witnessed, record_property) -> None:
    started = "echo $(cat /proc/sys/kernel/random/boot_id; systemctl show --value -p UserspaceTimestampMonotonic)"
    boot = vm.run(started).strip()
    began = time.monotonic()
    vm.run("systemctl reboot", check=False)
    vm.until(f"sh -c '! {started} | grep -qxF \"{boot}\"'", seconds=120)
    trust = "--trust /etc/nginx/certificate/fullchain.pem"
    smoke = f"/opt/parley/current/deploy/smoke.py https://{vm.domain} --connect 127.0.0.1 {trust}"
    vm.until(smoke, seconds=120)
    record_property("reboot_seconds", round(time.monotonic() - began, 1))
    assert vm.run(started).strip() != boot
    assert (
        vm.run("systemctl list-units --failed --no-legend --plain 'parley*' nginx postgresql redis-server").strip()
        == ""
    )
