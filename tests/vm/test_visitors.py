"""The site of a host passes the acceptance tests, and a backup restores its messages."""

import os
import subprocess
import sys
from pathlib import Path
from uuid import uuid4

from tests.acceptance.site import Person
from tests.nginx.scan import scan
from tests.running import REPO
from tests.vm.machine import ROOT_CA, Machine, Played, Witnessed

MESSAGES = "SELECT count(*), md5(string_agg(row::text, ',' ORDER BY id)) FROM chat_message AS row"
EPOCH = "SELECT value FROM chat_epoch"


def psql(vm: Machine, sql: str) -> str:
    return vm.run(f'cd / && runuser -u postgres -- psql -Atq parley -c "{sql}"')


def test_the_site_passes_the_acceptance_tests(vm: Machine, deployed: Played) -> None:
    where = {
        "PARLEY_BASE_URL": f"https://{vm.domain}",
        "PARLEY_RESOLVE": f"{vm.domain}={vm.variables['ansible_host']}",
        **({"PARLEY_CA": ROOT_CA} if ROOT_CA else {}),
    }
    command = [sys.executable, "-m", "pytest", "-n", "0", "-q", "-p", "no:cacheprovider", "-rs", "tests/acceptance"]
    done = subprocess.run(command, cwd=REPO, env=os.environ | where, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout
    assert " passed" in done.stdout
    assert "skipped" not in done.stdout


def test_tls_is_not_weaker_than_mozillas_intermediate_profile(vm: Machine, deployed: Played, tmp_path: Path) -> None:
    assert scan(vm.domain, 443, vm.variables["ansible_host"], tmp_path).below_intermediate == []


async def test_a_backup_restores_the_messages(vm: Machine, site: Witnessed) -> None:
    room = f"t-{uuid4().hex[:8]}"
    async with Person(site) as ann:
        await ann.as_guest()
        async with await ann.connect() as client:
            await client.join(room)
            for number in range(20):
                await client.post(room, f"word {number}")
            messages, epoch = psql(vm, MESSAGES), psql(vm, EPOCH)
            vm.make("backup").check()
            await client.post(room, "posted after the backup")
            psql(vm, "DROP OWNED BY parley")
            newest = vm.run("ls -t /var/backups/parley | head -n 1").strip()
            vm.make("restore", BACKUP=newest).check()
            assert await client.wait_closed() == 4510  # the page reloads
    assert psql(vm, MESSAGES) == messages
    assert psql(vm, EPOCH) != epoch
