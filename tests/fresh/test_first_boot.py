"""First boot: a machine that gets deploy/cloud-init.yaml as user data becomes a site by itself.

It needs hosts in the inventory's group first_boot, with site_domain and site_email. The tests replace their source
of user data.
"""

import os
import re
import subprocess
import sys
import time
from collections.abc import Callable

import pytest

from tests.fresh.conftest import REPO
from tests.fresh.hosts import Host

SECONDS_TO_A_SITE = 600  # with the installation of git and Ansible, on six hosts at once

# A cloud's image sets where user data comes from. The other lines keep the machine reachable.
MACHINE = """
datasource_list: [NoCloud]
network: {config: disabled}
ssh_deletekeys: false
preserve_hostname: true
users: []
"""
SEED = "/var/lib/cloud/seed/nocloud"


def user_data(host: Host) -> str:
    """Return deploy/cloud-init.yaml with the variables of this host, as an operator edits it."""
    text = (REPO / "deploy" / "cloud-init.yaml").read_text()
    known = {name: value for name, value in host.variables.items() if name.startswith("site_")}
    lines = {
        "SITE_REPOSITORY": "/root/parley.bundle",
        "SITE_DOMAIN": known.pop("site_domain"),
        "SITE_EMAIL": known.pop("site_email"),
        "SITE_OPTIONS": '"' + " ".join(f"-e {name}={value}" for name, value in known.items()) + '"',
    }
    for name, value in lines.items():
        text, found = re.subn(rf"^(\s+{name}=).*$", rf"\g<1>{value}", text, flags=re.MULTILINE)
        assert found == 1, name
    return text


@pytest.mark.fresh
def test_a_machine_sets_itself_up(
    new_machine: Host, clone: bytes, record_property: Callable[[str, object], None]
) -> None:
    host = new_machine
    install = "DEBIAN_FRONTEND=noninteractive apt-get -q -y install --no-install-recommends cloud-init"
    host.run(f"command -v cloud-init || {{ sudo apt-get -q update && sudo {install}; }}")
    for path, content in {
        "/root/parley.bundle": clone,
        "/etc/cloud/cloud.cfg.d/99-test.cfg": MACHINE.encode(),
        f"{SEED}/user-data": user_data(host).encode(),
        f"{SEED}/meta-data": f"instance-id: i-{time.time():.0f}\n".encode(),
    }.items():
        host.run(f"sudo sh -c 'mkdir -p $(dirname {path}) && cat >{path}'", stdin=content)
    assert "Valid" in host.run(f"sudo cloud-init schema --config-file {SEED}/user-data")
    host.run("sudo cloud-init clean --logs")

    began = time.monotonic()
    host.reboot()
    output = host.run(
        "sudo cloud-init status --long --wait || sudo tail -n 60 /var/log/cloud-init-output.log", seconds=600
    )
    record_property("seconds_to_a_site", round(time.monotonic() - began))
    assert "status: done" in output, output
    smoke = [sys.executable, REPO / "deploy" / "smoke.py", f"https://{host.variables['site_domain']}"]
    smoke += ["--connect", host.variables["ansible_host"]]
    smoke += ["--trust", os.environ["PARLEY_CA"]] if os.environ.get("PARLEY_CA") else []
    done = subprocess.run(smoke, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert time.monotonic() - began < SECONDS_TO_A_SITE
