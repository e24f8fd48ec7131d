"""A host: a second run changes nothing, everything restarts by itself, and little is exposed."""

import time
from uuid import uuid4

import pytest

from tests.docker.crowd import Talk, crowd
from tests.running import REPO
from tests.vm.machine import Machine, Played, Witnessed

# Scores of `systemd-analyze security`; lower is better. These are the values that were reached.
OURS, WITH_EGRESS, NGINX = 0.3, 1.2, 2.3
SECONDS_TO_A_SITE = 600  # from a bare host, on a busy machine; on an idle one it takes about 120
EGRESS = REPO / "systemd" / "egress.conf"


def test_a_bare_host_is_a_site_within_ten_minutes_even_on_a_busy_machine(
    vm: Machine, deployed: Played, record_property
) -> None:
    record_property("bare", vm.had_no_site)
    record_property("seconds_of_the_first_deployment", round(deployed.seconds))
    assert deployed.seconds < SECONDS_TO_A_SITE


def test_a_dry_run_on_a_bare_host_succeeds(vm: Machine, deployed: Played, record_property) -> None:
    assert vm.dry_run
    record_property("seconds_of_the_dry_run", round(vm.dry_run.seconds))
    vm.dry_run.check()
    assert vm.dry_run.recap(vm.name)["changed"] > 20 * vm.had_no_site  # on a bare host most tasks change something


def test_a_second_run_changes_nothing(vm: Machine, deployed: Played, record_property) -> None:
    played = vm.playbook("site.yml").check()
    record_property("seconds_of_the_second_run", round(played.seconds))
    assert played.recap(vm.name)["changed"] == 0, played.output


def test_a_wrong_variable_stops_before_anything_is_changed(vm: Machine) -> None:
    played = vm.playbook("site.yml", "-e", "site_domain=nonsense")
    assert played.code != 0
    assert "site_domain is 'nonsense'" in played.output
    assert played.recap(vm.name)["changed"] == 0


@pytest.fixture
def egress(vm: Machine, deployed: Played):
    """Egress is allowed, as in an installation that sends mail."""
    there = "/run/systemd/system/parley-.service.d"
    vm.run(f"mkdir -p {there}; cat >{there}/20-egress.conf <<'END'\n{EGRESS.read_text()}END\nsystemctl daemon-reload")
    yield
    vm.run(f"rm -r {there}; systemctl daemon-reload")


def test_little_is_exposed(vm: Machine, deployed: Played, record_property) -> None:
    scores = vm.exposure("parley*.service", "nginx.service")
    record_property("exposure", scores)
    assert len(scores) >= 7
    limits = {"nginx.service": NGINX, "parley-doctor.service": WITH_EGRESS}  # the doctor connects to nginx
    assert {unit for unit, score in scores.items() if score > limits.get(unit, OURS)} == set()


def test_little_more_is_exposed_where_mail_has_to_leave(vm: Machine, egress: None, record_property) -> None:
    scores = vm.exposure("parley*.service")
    record_property("exposure_with_egress", scores)
    # Redis alone never leaves the host.
    assert {unit for unit, score in scores.items() if score <= OURS} == {"parley-redis.service"}
    assert {unit for unit, score in scores.items() if score > WITH_EGRESS} == set()


def test_units_are_well_formed(vm: Machine, deployed: Played) -> None:
    units = (
        f"parley.target parley-web.service parley-ws@1.service parley-release@{vm.release}.service parley-backup.timer"
    )
    assert vm.run(f"systemd-analyze verify --man=no {units} parley-prune.timer parley-restore@x.service 2>&1") == ""


@pytest.mark.parametrize("started_by", ["systemd", "its predecessor"])
def test_a_stuck_server_is_ended_and_started_again(
    vm: Machine, site: Witnessed, started_by: str, record_property
) -> None:
    pid = vm.pid("parley-ws@1.service")
    if started_by == "its predecessor":
        vm.run("systemctl reload parley-ws@1")
        vm.until(f"sh -c '! kill -0 {pid}'", seconds=15)
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


async def test_a_renewed_certificate_closes_no_socket(vm: Machine, site: Witnessed, record_property) -> None:
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


def test_everything_starts_again_after_a_reboot(vm: Machine, site: Witnessed, record_property) -> None:
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
    assert vm.run("systemctl list-units --failed --no-legend --plain 'parley*' nginx postgresql").strip() == ""
