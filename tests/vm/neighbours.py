"""Other programs of a host, set up before the site comes: a Redis, a PostgreSQL, a firewall, and ssh at an odd port."""

import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace

from tests.vm.machine import Machine

SSH_PORT = 2222
KEY, ROW = "kept:key", "kept row"
INSTALL = """
export DEBIAN_FRONTEND=noninteractive
apt-get -q update && apt-get -q -y install --no-install-recommends redis-server postgresql {packages}
redis-cli set {key} before
cd / && runuser -u postgres -- psql -qc "CREATE ROLE shop LOGIN PASSWORD 'shop'" -c "CREATE DATABASE shop OWNER shop"
PGPASSWORD=shop psql -h 127.0.0.1 -U shop -qc "CREATE TABLE kept (row text)" -c "INSERT INTO kept VALUES ('{row}')" shop
sed -i 's/^#\\?Port .*/Port {ssh_port}/' /etc/ssh/sshd_config
"""
# What each kind of firewall has before the site comes.
FIREWALLS = {
    "table": "",
    "ufw": "ufw allow {ssh_port}/tcp && ufw --force enable",
    "own_rules": """
cat > /etc/nftables.conf <<'END'
#!/usr/sbin/nft -f
flush ruleset
table inet mine {{
    chain input {{
        type filter hook input priority filter; policy drop;
        ct state established,related accept
        iif lo accept
        tcp dport {{ {ssh_port}, 80, 443 }} accept
    }}
}}
END
systemctl enable --now nftables.service
""",
}
PACKAGES = {"table": "", "ufw": "ufw", "own_rules": "nftables"}
FILES = "/etc/redis /etc/postgresql /etc/nftables.conf /etc/ssh /etc/default/ufw"


@dataclass
class Neighbours:
    """The other programs of a machine, and what their files were before the site came."""

    vm: Machine
    firewall: str
    files: str = ""
    pids: dict[str, int] = field(default_factory=dict)

    def set_up(self) -> "Neighbours":
        values = {"ssh_port": SSH_PORT, "key": KEY, "row": ROW, "packages": PACKAGES[self.firewall]}
        self.vm.run(INSTALL.format(**values), seconds=300)
        # ssh moves to another port, which Ansible is not told: as an operator does in ~/.ssh/config.
        self.vm.run("systemctl restart ssh", check=False)
        options = f"{self.vm.variables.get('ansible_ssh_common_args', '')} -o Port={SSH_PORT}"
        self.vm = replace(self.vm, variables={**self.vm.variables, "ansible_ssh_common_args": options})
        self.vm.run(FIREWALLS[self.firewall].format(**values))
        self.files = self.hash_files()
        self.pids = {unit: self.vm.pid(unit) for unit in ("redis-server.service", self.cluster)}
        return self

    @property
    def cluster(self) -> str:
        """The unit of the PostgreSQL cluster."""
        return self.vm.run("systemctl list-units --plain --no-legend 'postgresql@*' | cut -d' ' -f1").strip()

    def hash_files(self) -> str:
        """Return a line for each file of the other programs."""
        return self.vm.run(f"find {FILES} -type f -exec sha256sum {{}} + 2>/dev/null | sort -k2", check=False)

    def answers(self) -> dict[str, str]:
        """Return what the other programs answer over TCP."""
        row = "PGPASSWORD=shop psql -h 127.0.0.1 -U shop -Atqc 'SELECT row FROM kept' shop"
        return {"redis": self.vm.run(f"redis-cli get {KEY}").strip(), "postgres": self.vm.run(row).strip()}

    @contextmanager
    def probe_ssh(self) -> Iterator[list[str]]:
        """Open a new ssh connection every second while the block runs; the list gets what failed."""
        failures: list[str] = []
        over = threading.Event()

        def probe() -> None:
            while not over.wait(1):
                began = time.monotonic()
                command = [*self.vm.ssh[:1], "-o", "ConnectTimeout=5", *self.vm.ssh[1:], "true"]
                done = subprocess.run(command, capture_output=True, text=True, check=False)
                if done.returncode != 0:
                    failures.append(f"after {time.monotonic() - began:.1f} s: {done.stderr.strip()}")

        thread = threading.Thread(target=probe)
        thread.start()
        try:
            yield failures
        finally:
            over.set()
            thread.join()
