"""Causes between nginx and the server of the WebSockets."""

import os
import resource
import socket
import subprocess
import sys
from pathlib import Path

from tests.doctor.channels_site import ChannelsSite
from tests.doctor.conftest import StartNginx
from tests.doctor.doctor_command import Doctor
from tests.doctor.edited_nginx import Edits
from tests.running import REPO, Stack

PASS = "proxy_pass http://$ws_servers;"
ALL_CLIENTS_LIMIT = "limit_req_zone $server_name zone=all_clients:1m rate=1r/m;\n"


def ws_location(directives: str) -> Edits:
    """The location of the WebSockets with these directives instead of its proxy_pass."""
    return {"sites/site.conf": [(PASS, directives)]}


def test_1_sockets_go_to_gunicorn(start_nginx: StartNginx, doctor: Doctor) -> None:
    wrong = start_nginx(ws_location("proxy_pass http://web;"))
    found = doctor(wrong)
    assert (found.hop, found.cause, found.exit_code) == ("426", "sockets-go-to-gunicorn", 15)
    assert "sites/site.conf:" in doctor.on_host(wrong).evidence


def test_4_the_host_is_not_passed_on(start_nginx: StartNginx, doctor: Doctor) -> None:
    found = doctor(start_nginx({"snippets/proxy-websocket.conf": [("include snippets/proxy-headers.conf;", "")]}))
    assert (found.hop, found.cause) == ("426", "host-is-not-passed-on")


def test_23_the_scheme_is_not_passed_on(start_nginx: StartNginx, doctor: Doctor) -> None:
    host_only = [("include snippets/proxy-headers.conf;", "proxy_set_header Host $http_host;")]
    found = doctor(start_nginx({"snippets/proxy-websocket.conf": host_only}))
    assert (found.hop, found.cause) == ("426", "scheme-is-not-passed-on")


def test_33_claims_are_passed_on(start_nginx: StartNginx, doctor: Doctor) -> None:
    passed_on = 'map $http_x_forwarded_proto $passed_on { default $http_x_forwarded_proto; "" https; }\n'
    edits = {
        "target/http.conf": [('map "" $hsts', passed_on + 'map "" $hsts')],
        "snippets/proxy-headers.conf": [("X-Forwarded-Proto $scheme", "X-Forwarded-Proto $passed_on")],
    }
    found = doctor(start_nginx(edits))
    assert "'http'" in found.warnings["claims-are-passed-on"]


def test_33_addresses_are_appended(start_nginx: StartNginx, doctor: Doctor) -> None:
    edits = [("X-Forwarded-For $remote_addr", "X-Forwarded-For $proxy_add_x_forwarded_for")]
    found = doctor.on_host(start_nginx({"snippets/proxy-headers.conf": edits}))
    assert "snippets/proxy-headers.conf:" in found.warnings["claims-are-passed-on"]


def test_10_the_prefix_is_stripped(start_nginx: StartNginx, doctor: Doctor) -> None:
    found = doctor(start_nginx(ws_location("proxy_pass http://ws/;")))
    assert (found.hop, found.cause) == ("426", "prefix-is-stripped")


def test_22_sockets_are_redirected(start_nginx: StartNginx, doctor: Doctor, channels_site: ChannelsSite) -> None:
    found = doctor(start_nginx(channels_site.edits), "--ws-path", "/ws/redirected/")
    assert (found.hop, found.cause) == ("426", "sockets-are-redirected")


def test_13_daphne_is_down(start_nginx: StartNginx, doctor: Doctor, tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as unused:  # a file on which no process listens, as after a crash
        unused.bind(str(tmp_path / "s"))
        wrong = start_nginx(ws_location(f"proxy_pass http://unix:{tmp_path}/s;"))
        assert (doctor(wrong).hop, doctor(wrong).cause) == ("426", "daphne-is-down")
        found = doctor.on_host(wrong)
    assert (found.hop, found.cause) == ("426", "daphne-is-down")
    assert "connection refused" in found.evidence


def test_13_one_daphne_of_several_is_down(start_nginx: StartNginx, doctor: Doctor) -> None:
    found = doctor.on_host(start_nginx({"target/upstreams.conf": [("ws2.sock", "gone.sock")]}))
    assert "gone.sock: no such socket file" in found.warnings["one-daphne-of-several-is-down"]
    assert found.exit_code == 0


def test_14_the_socket_file_is_missing(start_nginx: StartNginx, doctor: Doctor) -> None:
    found = doctor.on_host(start_nginx(ws_location("proxy_pass http://unix:{folder}/gone.sock;")))
    assert (found.hop, found.cause) == ("426", "socket-file-is-missing")


def test_14_the_socket_file_is_closed_to_nginx(start_nginx: StartNginx, doctor: Doctor, tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as closed:
        closed.bind(str(tmp_path / "s"))
        closed.listen()
        (tmp_path / "s").chmod(0)
        edits = ws_location(f"proxy_pass http://unix:{tmp_path}/s;")
        if os.geteuid() == 0:  # nginx's own account, which may not connect to gunicorn here either
            edits["target/main.conf"] = [("user root;", "user www-data;")]
            edits["sites/site.conf"].append(("proxy_pass http://$web_servers;", "return 200 hello;"))
        found = doctor.on_host(start_nginx(edits))
    assert (found.hop, found.cause) == ("426", "socket-file-is-closed-to-nginx")
    assert "nginx runs as" in found.evidence


def test_16_proxy_pass_says_https(start_nginx: StartNginx, doctor: Doctor) -> None:
    found = doctor.on_host(start_nginx(ws_location("proxy_pass https://ws;")))
    assert (found.hop, found.cause) == ("426", "proxy-pass-says-https")
    assert "sites/site.conf:" in found.evidence


def test_16_nothing_answers_behind(start_nginx: StartNginx, doctor: Doctor, channels_site: ChannelsSite) -> None:
    host, port = channels_site.silent.getsockname()
    found = doctor(start_nginx(ws_location(f"proxy_pass http://{host}:{port};")), "--timeout", "0.5")
    assert (found.hop, found.cause) == ("426", "nothing-answers-behind")


def test_12_apps_are_not_loaded(start_nginx: StartNginx, doctor: Doctor, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "daphne", "-u", f"{tmp_path}/s", "tests.doctor.early_models:application"]
    env = {name: value for name, value in os.environ.items() if name != "DJANGO_SETTINGS_MODULE"}
    with (tmp_path / "log").open("wb") as log:
        subprocess.run(command, cwd=REPO, env=env | {"PYTHONPATH": "app:."}, stdout=log, stderr=log, check=False)
    wrong = start_nginx(ws_location(f"proxy_pass http://unix:{tmp_path}/s;"))
    found = doctor.on_host(wrong, "--log", str(tmp_path / "log"))
    assert (found.hop, found.cause) == ("426", "apps-are-not-loaded")


def test_30_descriptors_run_out(start_nginx: StartNginx, doctor: Doctor, channels_site: ChannelsSite) -> None:
    wrong = start_nginx(channels_site.edits)
    pid = channels_site.process.pid
    before = resource.prlimit(pid, resource.RLIMIT_NOFILE)
    # A new descriptor must be below the limit. 0, 1 and 2 stay open, so 3 leaves none, whatever closes meanwhile.
    resource.prlimit(pid, resource.RLIMIT_NOFILE, (3, before[1]))
    try:
        found = doctor.on_host(wrong, "--ws-path", "/ws/echo/")
    finally:
        resource.prlimit(pid, resource.RLIMIT_NOFILE, before)
    assert (found.hop, found.cause) == ("426", "descriptors-run-out")


def test_30_few_descriptors(start_nginx: StartNginx, doctor: Doctor, channels_site: ChannelsSite) -> None:
    pid = channels_site.process.pid
    before = resource.prlimit(pid, resource.RLIMIT_NOFILE)
    resource.prlimit(pid, resource.RLIMIT_NOFILE, (500, before[1]))
    try:
        found = doctor.on_host(start_nginx(channels_site.edits), "--ws-path", "/ws/echo/")
    finally:
        resource.prlimit(pid, resource.RLIMIT_NOFILE, before)
    assert "of 500 files" in found.warnings["few-descriptors"]


def test_34_a_limit_says_503(start_nginx: StartNginx, doctor: Doctor, stack: Stack) -> None:
    edits = ws_location(f"limit_req zone=all_clients; limit_req_status 503; {PASS}")
    edits["target/http.conf"] = [('map "" $hsts', f'{ALL_CLIENTS_LIMIT}map "" $hsts')]
    edits["snippets/error-pages.conf"] = [("error_page 429 502 503 504", "error_page 429 502 504")]
    found = doctor(start_nginx(edits))
    assert (found.hop, found.cause) == ("426", "limit-says-503")


def test_0_we_are_limited(start_nginx: StartNginx, doctor: Doctor) -> None:
    edits = ws_location(f"limit_req zone=all_clients; {PASS}")
    edits["target/http.conf"] = [('map "" $hsts', f'{ALL_CLIENTS_LIMIT}map "" $hsts')]
    found = doctor(start_nginx(edits))
    assert (found.hop, found.cause) == ("426", "we-are-limited")


def test_0_the_site_is_closed(start_nginx: StartNginx, doctor: Doctor) -> None:
    found = doctor(start_nginx(ws_location("return 503;")))
    assert (found.hop, found.cause) == ("426", "site-is-closed")
