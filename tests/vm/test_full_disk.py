"""The disk of the database fills while members talk: it is named before anything fails, and all comes back."""

import asyncio
import json
from collections.abc import Iterator
from uuid import uuid4

import pytest

from tests.docker.crowd import Member, Talk, assert_all_received, crowd
from tests.vm.machine import Machine, Witnessed

DATA, DISK, FILL = "/var/lib/postgresql", "/run/small-disk", "/var/lib/postgresql/fill"
SIZE_MIB = 1000  # of the file system: a warning below 100 MiB, not ready below 50 MiB
BACK_SECONDS = 60
POSTGRESQL = "$(systemctl list-units --plain --no-legend 'postgresql@*' | cut -d' ' -f1)"
# The database moves to a small file system, and back to where it was with what it has got since.
TO_SMALL = f"""
set -e
systemctl stop {POSTGRESQL}
mkdir -p {DISK}
mount -t tmpfs -o size={SIZE_MIB}m,mode=755 small {DISK}
cp -a {DATA}/. {DISK}/
mount --bind {DISK} {DATA}
systemctl start postgresql
/opt/parley/current/deploy/release.py restart
"""
FROM_SMALL = f"""
rm -f {FILL} {FILL}-rest
systemctl stop postgresql {POSTGRESQL}
umount {DATA} && cp -a {DISK}/. {DATA}/ && umount {DISK} && rmdir {DISK}
systemctl start postgresql
/opt/parley/current/deploy/release.py restart
"""


@pytest.fixture
def small_disk(vm: Machine, site: Witnessed) -> Iterator[None]:
    """The database's folder is a file system of SIZE_MIB."""
    try:
        vm.run(TO_SMALL)
        yield
    finally:
        vm.run(FROM_SMALL)


def leave(vm: Machine, free_mib: int) -> None:
    """Fill the disk until so much is left."""
    vm.run(
        f"now=$(df --output=avail -m {DATA} | tail -1); old=$(stat -c %s {FILL} 2>/dev/null || echo 0); "
        f"fallocate -l $((old + (now - {free_mib}) * 1024 * 1024)) {FILL}"
    )


def read_readiness(vm: Machine) -> tuple[int, dict[str, object]]:
    """Return the status and the JSON of /readyz."""
    printed = vm.run(
        "curl -s -m 10 -w '\\n%{http_code}' --unix-socket /run/parley/ws1.sock http://localhost/readyz "
        f"-H 'Host: {vm.domain}'",
    )
    text, _, status = printed.rpartition("\n")
    return int(status), json.loads(text)


def run_doctor(vm: Machine) -> tuple[int, str]:
    """Return the exit code of the doctor on the host, and its report."""
    command = f"python3 -m deploy.doctor https://{vm.domain} --host --address 127.0.0.1 --insecure"
    printed = vm.run(f"cd /opt/parley/current; {command}; echo exit $?")
    report, _, code = printed.rpartition("exit ")
    return int(code), report


def fill_up(vm: Machine) -> None:
    """Take the last byte, and let PostgreSQL need a new segment of its log until it ends."""
    vm.run(f"dd if=/dev/zero of={FILL}-rest bs=4k 2>/dev/null", check=False)
    switch = 'cd / && runuser -u postgres -- psql -qAtc "CREATE TEMP TABLE t (a int); SELECT pg_switch_wal()"'
    vm.until(f"sh -c '! ({switch})'", seconds=60)


async def fill_and_free(vm: Machine, members: list[Member], talk: Talk) -> float:
    """Fill the disk step by step, free it, and return the seconds until the site was ready again."""
    await talk.acks(20)
    await asyncio.to_thread(leave, vm, 80)
    status, answer = await asyncio.to_thread(read_readiness, vm)
    assert (status, answer["disk"]) == (200, "ok")
    assert str(answer["warnings"]).count(DATA) == 1
    code, report = await asyncio.to_thread(run_doctor, vm)
    assert (code, "A disk of the site is nearly full." in report) == (0, True), report
    await talk.acks(20)

    await asyncio.to_thread(leave, vm, 40)
    status, answer = await asyncio.to_thread(read_readiness, vm)
    assert status == 503
    assert f"are free at {DATA}" in str(answer["disk"])
    code, report = await asyncio.to_thread(run_doctor, vm)
    assert code != 0
    assert "A disk of the site is full, so its database cannot write." in report
    await talk.acks(20)
    assert all(member.refusals == [] for member in members)  # nothing has failed yet

    await asyncio.to_thread(fill_up, vm)
    await asyncio.to_thread(vm.run, f"rm -f {FILL} {FILL}-rest")
    ready = f"curl -sf -m 2 --unix-socket /run/parley/ws1.sock http://localhost/readyz -H 'Host: {vm.domain}'"
    ready_after = await asyncio.to_thread(vm.until, ready, seconds=BACK_SECONDS)
    async with asyncio.timeout(BACK_SECONDS):
        await talk.acks(50)
    return ready_after


async def test_a_full_disk_is_named_first_and_all_comes_back_when_there_is_room(
    vm: Machine, site: Witnessed, small_disk: None, record_property
) -> None:
    cookies = await site.cookies(4)
    async with crowd(site, cookies, f"t-{uuid4().hex[:8]}", 20) as members:
        async with Talk(members, 10) as talk:
            ready_after = await fill_and_free(vm, members, talk)
        await assert_all_received(members, talk.acked)
    record_property("ready_after_seconds", round(ready_after, 1))
    record_property("slowest_ack_seconds", round(talk.slowest, 1))
    record_property("refused_while_full", sum(len(member.refusals) for member in members))
    record_property("acked", len(talk.acked))
