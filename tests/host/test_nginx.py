"""The nginx of a host takes several sites of ours beside sites of the operator, and sends each request to its site."""

import json
import re
import socket
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from deploy import nginx_host, render
from deploy.local import certificate
from deploy.local.layout import Layout
from deploy.site_context import SiteContext, WrongSite
from tests.host.sites import FULL, REPO, project
from tests.nginx.served import free_ports, until

# As Debian has it, with other paths.
NGINX_CONF = """\
pid {root}/nginx.pid;
error_log stderr;
daemon off;
{user}
include {root}/modules-enabled/*.conf;
events {{
    worker_connections 768;
}}
http {{
    sendfile on;
    tcp_nopush on;
    types_hash_max_size 2048;
    include /etc/nginx/mime.types;
    default_type application/octet-stream;
    ssl_protocols TLSv1 TLSv1.1 TLSv1.2 TLSv1.3;
    ssl_prefer_server_ciphers on;
    access_log {root}/access.log;
    gzip on;
    {temporary}
    include {root}/conf.d/*.conf;
    include {root}/sites-enabled/*;
}}
"""
# Everything has a name that our files have, too.
OPERATORS_SITE = """\
map $http_upgrade $connection_upgrade { default keep-alive; }
map $uri $static_cache { default "no-store"; }
map "" $hsts { default "theirs"; }
geo $is_rate_limited { default 7; }
log_format json '"$hsts"';
limit_req_zone $binary_remote_addr zone=sign_in:1m rate=1r/s;
limit_req_zone $binary_remote_addr zone=handshakes:1m rate=1r/s;
limit_conn_zone $binary_remote_addr zone=sockets:1m;
limit_req_status 503;
ssl_session_cache shared:tls:2m;
proxy_read_timeout 7s;
client_header_timeout 20s;
keepalive_timeout 9s;
server_tokens on;
upstream web { server 127.0.0.1:9; }
upstream ws { server 127.0.0.1:9; }
server {
    listen %(port)d default_server backlog=511;
    server_name neighbour.example.org;
    set $site_state mine;
    location / { return 200 "$connection_upgrade $static_cache $hsts $is_rate_limited $site_state"; }
}
"""
ANSWER = "keep-alive no-store theirs 7 mine"


@dataclass
class HostNginx:
    """The folder /etc/nginx of a host, at `root`. `ports` leads from a host's port to the one that a test may use."""

    root: Path
    ports: dict[int, int]

    @property
    def command(self) -> list[str]:
        return ["nginx", "-p", f"{self.root}/", "-c", f"{self.root}/nginx.conf", "-e", "stderr"]

    def write(self, path: str, text: str) -> None:
        """Write a file of a host."""
        moved = [("/etc/nginx/certificates?(?:/[a-z-]+)?/(?=fullchain|privkey)", f"{self.root}/tls/")]
        moved += [("/etc/nginx/(?!mime)", f"{self.root}/"), ("/var/log/nginx/", f"{self.root}/")]
        moved += [("/run/nginx/", f"{self.root}/"), *((rf"\b{old}\b", str(new)) for old, new in self.ports.items())]
        for old, new in moved:
            path, text = re.sub(old, new, path), re.sub(old, new, text)
        Path(path).parent.mkdir(parents=True, exist_ok=True)
        Path(path).write_text(text)

    def add(self, site: SiteContext, *, ports: Sequence[int] = ()) -> None:
        """Write what a deployment of the site writes."""
        for file in nginx_host.list_files(site, ports=ports):
            if file["is_replaced"] or not (self.root / file["path"].removeprefix("/etc/nginx/")).exists():
                self.write(file["path"], file["content"])

    def check(self) -> subprocess.CompletedProcess[str]:
        return subprocess.run([*self.command, "-t"], capture_output=True, text=True, check=False)

    def dump(self) -> str:
        """Return what nginx -T prints, with the paths of a host."""
        printed = subprocess.run([*self.command, "-T"], capture_output=True, text=True, check=True).stdout
        return printed.replace(f"{self.root}/", "/etc/nginx/")


@pytest.fixture
def host(tmp_path_factory: pytest.TempPathFactory) -> HostNginx:
    """A bare host's nginx."""
    root = tmp_path_factory.mktemp("n")
    layout = Layout(var=root, env_file=root / ".env", https_port=1, http_port=2)
    layout.make_folders()
    certificate.renew(layout)
    found = HostNginx(root, dict(zip((443, 80, 9145, 8001, 4000), free_ports(5), strict=True)))
    kinds = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    temporary = " ".join(f"{kind}_temp_path {root}/tmp-{kind};" for kind in kinds)
    (root / "nginx.conf").write_text(NGINX_CONF.format(root=root, user="user root;", temporary=temporary))
    return found


def chat() -> SiteContext:
    return render.read_site(REPO / "app", {"domain": "parley.example.org", "ws_instances": 3})


def add_operators_site(host: HostNginx) -> int:
    """Add a site of the operator at port 80 and return its moved port."""
    host.write("/etc/nginx/sites-enabled/neighbour", OPERATORS_SITE % {"port": 80})
    return host.ports[80]


def test_nginx_accepts_the_chat_and_two_projects_at_once(host: HostNginx) -> None:
    for site in (chat(), project(), project(FULL)):
        host.add(site)
    tested = host.check()
    assert tested.returncode == 0, tested.stderr
    assert "/run/parley/ws3.sock" in host.dump()


def test_nginx_accepts_a_host_that_serves_a_project_alone(host: HostNginx) -> None:
    host.add(project())
    tested = host.check()
    assert tested.returncode == 0, tested.stderr


def test_a_site_of_the_operator_with_the_same_names_answers_as_before(host: HostNginx) -> None:
    port = add_operators_site(host)
    neighbours = nginx_host.find_neighbours(host.dump())
    for site in (chat(), project(), project(FULL)):
        host.add(site, ports=[80])
    host.write(nginx_host.MAIN, nginx_host.main_file(neighbours))
    tested = host.check()
    assert tested.returncode == 0, tested.stderr
    assert nginx_host.find_neighbours(host.dump()) == neighbours  # ours are not counted
    running = subprocess.Popen(host.command, stderr=subprocess.DEVNULL)
    try:
        until(lambda: accepts(port))  # `nginx -t` has left a file of the process id already
        for headers in ({}, {"Host": "anything.example.org"}):
            answer = httpx.get(f"http://127.0.0.1:{port}/", headers=headers)
            assert answer.text == ANSWER
        redirected = httpx.get(f"http://127.0.0.1:{port}/", headers={"Host": project()["domain"]})
        assert redirected.status_code == 308
        assert redirected.headers["Server"] == "nginx"  # without its version: our setting
    finally:
        running.terminate()
        running.wait()


def accepts(port: int) -> bool:
    """Return whether a program accepts connections at this port."""
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def test_the_ports_and_settings_of_other_sites_are_found(host: HostNginx) -> None:
    add_operators_site(host)
    host.write(
        "/etc/nginx/conf.d/more.conf", "server { listen [::1]:8081; }\nserver { listen unix:/run/nginx/x.sock; }"
    )
    host.write("/etc/nginx/modules-enabled/1.conf", "worker_shutdown_timeout 1h;")
    found = nginx_host.find_neighbours(host.dump())
    assert found["ports"] == sorted([host.ports[80], 8081])
    assert found["worker_connections"] == 768
    assert found["includes_sites"]
    assert found["includes_main"]
    text = nginx_host.main_file(found)
    assert "worker_rlimit_nofile 40000;" in text
    assert "worker_shutdown_timeout" not in re.sub(r"#.*", "", text)


def test_unknown_names_are_refused_only_where_no_other_site_has_the_port() -> None:
    free, taken = nginx_host.list_files(project()), nginx_host.list_files(project(), ports=[80])
    unused = [f"{nginx_host.FOLDER}/target/default-80.conf"]
    assert {file["path"] for file in free} - {file["path"] for file in taken} == set(unused)
    assert nginx_host.list_unused_files(taken) == unused
    assert nginx_host.list_unused_files(free) == []


def test_every_name_that_our_files_define_has_the_prefix() -> None:
    text = "\n".join(file["content"] for site in (chat(), project(FULL)) for file in nginx_host.list_files(site))
    directives = re.sub(r"(?m)#(?!if|echo).*$", "", text)
    defined = re.findall(r"\b(?:map\b.*|geo|set) \$(\w+)", directives) + re.findall(r"\(\?<(\w+)>", directives)
    defined += re.findall(r"\bzone=(\w+):|\bshared:(\w+):|^log_format (\w+)|^upstream (\w+) ", directives, re.M)
    names = {name for found in defined for name in ([found] if isinstance(found, str) else found) if name}
    assert len(names) > 20
    assert {name for name in names if not name.startswith(nginx_host.PREFIX)} == set()


def test_the_files_of_the_earlier_layout_are_converted(host: HostNginx) -> None:
    """Another site of the host, which this deployment does not deploy, goes on with them."""
    host.add(chat())
    target = "/etc/nginx/targets/tutorial"
    former = {
        "/etc/nginx/sites/tutorial.conf": "include targets/tutorial/upstreams.conf;\n\nserver {\n"
        "    include targets/tutorial/https-server.conf;\n    include snippets/security-headers.conf;\n"
        "    location / {\n        limit_req zone=sign_in;\n        proxy_pass http://tutorial-web;\n    }\n}\n",
        f"{target}/upstreams.conf": "upstream tutorial-web {\n    server unix:/run/tutorial/web.sock;\n}\n",
        f"{target}/https-server.conf": "listen 443 ssl http2;\nserver_name tutorial.example.org;\n"
        "ssl_certificate /etc/nginx/certificates/tutorial/fullchain.pem;\n"
        "ssl_certificate_key /etc/nginx/certificates/tutorial/privkey.pem;\n"
        "set $maintenance /var/lib/tutorial/maintenance;\ninclude snippets/maintenance.conf;\n",
    }
    for path, text in former.items():
        converted = nginx_host.convert_former(path, text)
        assert converted["path"] == path.replace("/etc/nginx", nginx_host.FOLDER)
        host.write(converted["path"], converted["content"])
    tested = host.check()
    assert tested.returncode == 0, tested.stderr
    assert host.dump().count("include channels-stack/snippets/server.conf") >= 3


def test_each_site_has_sockets_certificate_and_folders_of_its_own() -> None:
    for site, other in ((project(), "full-site"), (project(FULL), "tutorial")):
        text = "".join(text for path, text in render.render_host(site).items() if path.startswith("/etc/nginx/"))
        assert f"unix:/run/{site['name']}/ws2.sock" in text
        assert f"/etc/nginx/certificates/{site['name']}/privkey.pem" in text
        assert f"alias /opt/{site['name']}/current/static/;" in text
        assert f"alias /var/lib/{site['name']}/media/;" in text
        assert other not in text
        assert "ws_servers" not in text


@pytest.mark.parametrize(
    ("trusted", "forwarded", "address"),
    [
        ((), "203.0.113.9", "127.0.0.1"),  # a client's own invention
        (("192.0.2.0/24",), "203.0.113.9", "127.0.0.1"),
        (("127.0.0.1",), "203.0.113.9", "203.0.113.9"),
        (("127.0.0.1",), "198.51.100.1, 203.0.113.9", "203.0.113.9"),  # what stands first, a visitor may have invented
        (("127.0.0.1", "192.0.2.0/24"), "203.0.113.9, 192.0.2.7", "203.0.113.9"),  # two proxies
        (("127.0.0.1",), "2001:db8::9", "2001:db8::9"),
    ],
)
@pytest.mark.parametrize("folder", ["app", "tests/guests/tutorial"])
def test_the_address_of_a_visitor_is_taken_from_a_trusted_proxy_alone(
    host: HostNginx, folder: str, trusted: Sequence[str], forwarded: str, address: str
) -> None:
    site = render.read_site(REPO / folder, {"domain": "chat.example.org", "trusted_proxies": trusted})
    host.add(site)
    running = subprocess.Popen(host.command, stderr=subprocess.DEVNULL)
    try:
        until(lambda: accepts(host.ports[443]))
        with httpx.Client(verify=False) as client:
            client.get(
                f"https://127.0.0.1:{host.ports[443]}/",
                headers={"Host": site["domain"], "X-Forwarded-For": forwarded},
                extensions={"sni_hostname": site["domain"]},
            )
        log = host.root / "channels-stack.log"
        until(lambda: log.read_text() != "")
        assert json.loads(log.read_text())["client"] == address
    finally:
        running.terminate()
        running.wait()


@pytest.mark.parametrize("network", ["loadbalancer", "10.0.0.1/8", "10.0.0.0/8; return 200"])
def test_what_is_no_network_is_refused(network: str) -> None:
    with pytest.raises(WrongSite, match="site_trusted_proxies: "):
        render.read_site(REPO / "app", {"trusted_proxies": [network]})
