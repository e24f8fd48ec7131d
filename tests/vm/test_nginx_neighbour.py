"""An nginx that serves an operator's sites goes on with them at every moment of a project's life on the host."""

import json
import shlex
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import pytest

from tests.guests.guests import GUESTS
from tests.vm.machine import Machine
from tests.vm.project import Project, break_release, copy_project

GUEST = GUESTS["tutorial"]
# Names that the files of this program have, too. One server has a name, one a port, and one TLS.
OPERATORS_SITES = """\
map $http_upgrade $connection_upgrade { default close; }
log_format json '$remote_addr';
limit_req_zone $binary_remote_addr zone=handshakes:1m rate=1000r/s;
upstream web { server 127.0.0.1:8081; }
server {
    listen 80;
    listen 443 ssl;
    server_name neighbour.example.test;
    ssl_certificate /etc/nginx/neighbour/fullchain.pem;
    ssl_certificate_key /etc/nginx/neighbour/privkey.pem;
    root /home/neighbour/www;
}
server {
    listen 8080;
    limit_req zone=handshakes burst=1000;
    location / { proxy_pass http://web; }
}
server {
    listen 127.0.0.1:8081;
    access_log /var/log/nginx/neighbour.log json;
    return 200 "connection: $connection_upgrade";
}
"""
SET_UP = f"""
set -e
DEBIAN_FRONTEND=noninteractive apt-get -q -y install --no-install-recommends nginx curl openssl
mkdir -p /etc/nginx/neighbour /home/neighbour/www
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 30 -subj /CN=neighbour.example.test \\
    -keyout /etc/nginx/neighbour/privkey.pem -out /etc/nginx/neighbour/fullchain.pem 2>/dev/null
echo 'the neighbour' >/home/neighbour/www/index.html
cat >/etc/nginx/sites-available/neighbour <<'END'
{OPERATORS_SITES}END
ln -sf ../sites-available/neighbour /etc/nginx/sites-enabled/neighbour
systemctl enable --now nginx
nginx -t -q
systemctl reload nginx
"""
REQUESTS = {
    "name": "http://neighbour.example.test/",
    "tls": "https://neighbour.example.test/",
    "port": "http://neighbour.example.test:8080/",
    "address": "http://127.0.0.1/",  # Debian's own page
}
# Asks each of them five times a second, and writes each answer that differs from the first one.
PROBE = """
import collections, json, subprocess, sys, time
requests = json.loads(sys.argv[1])
first, counts = {}, collections.Counter()
while True:
    for name, url in requests.items():
        command = ["curl", "-sk", "-m", "5", "--http1.1", "-w", " %{errormsg} %{http_code}", url]
        for port in (80, 443, 8080):
            command += ["--resolve", f"neighbour.example.test:{port}:127.0.0.1"]
        done = subprocess.run(command, capture_output=True, text=True)
        counts[name if done.stdout == first.setdefault(name, done.stdout) else f"{name}: {done.stdout}"] += 1
    with open("/run/neighbour-probe.new", "w") as file:
        json.dump({"first": first, "counts": counts}, file)
    subprocess.run(["mv", "/run/neighbour-probe.new", "/run/neighbour-probe"], check=True)
    time.sleep(0.2)
"""
# Of the operator and the distribution. The second one has what a removal has to take away as well.
FILES = "cd /etc/nginx && find nginx.conf sites-* snippets mime.types neighbour -type f -exec md5sum {} + | sort"
FOLDER = "find /etc/nginx /etc/systemd/system/nginx.service.d /usr/lib/systemd/system/nginx.service -ls 2>/dev/null"
ALL_FILES = f"{FOLDER} | awk '{{print $3, $5, $6, $11, $12, $13}}' | sort; {FILES}"


class Neighbour:
    """The operator's sites on a machine, as their visitors on the machine itself see them."""

    def __init__(self, vm: Machine) -> None:
        self.vm = vm
        vm.run(SET_UP, seconds=300)
        vm.run("systemctl stop neighbour-probe", check=False)
        probe = shlex.join(["python3", "-c", PROBE, json.dumps(REQUESTS)])
        vm.run(f"rm -f /run/neighbour-probe; systemd-run -q --collect --unit=neighbour-probe {probe}")
        vm.until("test -s /run/neighbour-probe", seconds=20)
        self.files, self.all_files = vm.run(FILES), vm.run(ALL_FILES, check=False)
        self.pid = vm.pid("nginx.service")

    def assert_undisturbed(self) -> int:
        """Assert that each request got the same answer each time, and return how often each was sent."""
        probed = json.loads(self.vm.run("cat /run/neighbour-probe"))
        assert {name: text.split()[-1] for name, text in probed["first"].items()} == dict.fromkeys(REQUESTS, "200")
        assert set(probed["counts"]) == set(REQUESTS)  # no answer that differs
        assert self.vm.run(FILES) == self.files
        assert self.vm.pid("nginx.service") == self.pid  # it was not restarted
        return min(probed["counts"].values())


@pytest.fixture(scope="module")
def neighbour(shared_vm: Machine) -> Iterator[Neighbour]:
    yield Neighbour(shared_vm)
    shared_vm.run("systemctl stop neighbour-probe", check=False)


@pytest.fixture(scope="module")
def project(shared_vm: Machine, tmp_path_factory: pytest.TempPathFactory) -> Project:
    return Project(shared_vm, GUEST, shared_vm.domain, tmp_path_factory.mktemp("project"), GUEST.folder)


def assert_serves(project: Project, version: str = "") -> None:
    """Assert that the socket of the project opens, through nginx on the machine."""
    command = ["python3", "-m", "deploy.doctor", f"https://{project.domain}", "--host", "--address=127.0.0.1"]
    command += [f"--ca=/etc/nginx/certificates/{project.name}/fullchain.pem", "--ws-path=/ws/chat/lobby/"]
    project.vm.run(f"cd /opt/{project.name}/current && {shlex.join(command)}")
    assert version in ("", project.release)


def test_the_sites_of_an_operator_answer_at_every_moment(
    neighbour: Neighbour, project: Project, tmp_path: Path, record_property
) -> None:
    """During a deployment, a second one, a release, one that fails, a rollback and the removal."""
    project.deploy_by_command().check()
    assert_serves(project)
    first = project.release
    record_property("requests_during_the_deployment", neighbour.assert_undisturbed())

    again = project.deploy_by_command().check()
    assert again.recap(project.vm.address.partition("@")[2])["changed"] == 0, again.output
    # Its worker_connections. Ansible breaks the line.
    assert "nginx serves other sites, so it stays as it is" in " ".join(again.output.split())

    new, broken = f"v{uuid4().hex[:6]}", break_release(copy_project(GUEST.folder, tmp_path / "b"), "chat/consumers.py")
    project.deploy(new, playbook="deploy.yml").check()
    assert_serves(project, new)
    assert project.deploy(f"{new}-broken", broken, playbook="deploy.yml").code != 0
    assert_serves(project, new)
    neighbour.assert_undisturbed()

    project.command("rollback").check()
    assert_serves(project, first)
    project.command("remove", "--yes").check()
    record_property("requests_in_all", neighbour.assert_undisturbed())
    assert project.vm.run(ALL_FILES, check=False) == neighbour.all_files
