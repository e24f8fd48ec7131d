"""A host that has other programs already: each of them goes on as before, and ssh stays open at every moment."""

import time

import pytest

from tests.vm.machine import Machine, Played
from tests.vm.neighbours import KEY, ROW, SSH_PORT, Neighbours

BEFORE = {"redis": "before", "postgres": ROW}


@pytest.fixture(scope="module")
def neighbours(busy_vm: Machine) -> Neighbours:
    return Neighbours(busy_vm, busy_vm.variables["firewall"]).set_up()


@pytest.fixture(scope="module")
def deployment(neighbours: Neighbours) -> Played:
    """The first deployment, while new ssh connections are opened."""
    assert neighbours.answers() == BEFORE
    with neighbours.probe_ssh() as failures:
        played = neighbours.vm.make("deploy", **neighbours.vm.site_variables())
    played.check()
    assert failures == []
    return played


@pytest.fixture
def host(neighbours: Neighbours, deployment: Played) -> Machine:
    return neighbours.vm


def test_the_other_programs_answer_as_before(neighbours: Neighbours, deployment: Played) -> None:
    assert neighbours.answers() == BEFORE


def test_the_files_of_the_other_programs_are_as_before(neighbours: Neighbours, deployment: Played) -> None:
    assert neighbours.hash_files() == neighbours.files


def test_the_other_programs_were_not_restarted(neighbours: Neighbours, deployment: Played) -> None:
    assert {unit: neighbours.vm.pid(unit) for unit in neighbours.pids} == neighbours.pids


def test_the_redis_of_another_program_keeps_a_new_key_over_a_restart(host: Machine) -> None:
    host.run(f"redis-cli set {KEY} before && redis-cli set kept:later later && systemctl restart redis-server")
    assert host.run("redis-cli get kept:later").strip() == "later"


def test_the_site_has_a_redis_of_its_own(host: Machine) -> None:
    assert host.run("systemctl is-active parley-redis.service").strip() == "active"
    assert host.run("runuser -u parley -- redis-cli -s /run/parley/redis.sock ping").strip() == "PONG"
    assert "parley" not in host.run("id -nG redis; getent group redis")


def test_the_site_answers(host: Machine, deployment: Played) -> None:
    assert "everything works" in deployment.output.lower() or "whole path" in deployment.output


def test_a_second_run_changes_nothing(host: Machine) -> None:
    played = host.make("deploy", **host.site_variables()).check()
    assert played.recap(host.variables["ansible_host"])["changed"] == 0, played.output[-3000:]


def test_rules_that_refuse_ssh_last_for_a_minute_at_most(neighbours: Neighbours, host: Machine) -> None:
    """The operator's own firewall is never changed, so only the stack's table can refuse ssh."""
    if neighbours.firewall != "table":
        assert "table inet parley" not in host.run("nft list tables", check=False)
        return
    rules = host.run("nft list table inet parley")
    assert str(SSH_PORT) in rules
    variables = host.site_variables()
    variables["ARGS"] += """ -e '{"firewall_ports": [80, 443]}'"""
    began = time.monotonic()
    played = host.make("deploy", **variables)
    assert played.code != 0
    assert "A new ssh connection to" in played.output
    assert "returns to its former rules" in played.output
    host.until("nft list table inet parley | grep -q 2222", seconds=90)
    assert time.monotonic() - began < 240
    assert host.run("nft list table inet parley") == rules
    host.make("deploy", **host.site_variables()).check()
