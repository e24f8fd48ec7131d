"""Rows of the catalogue between nginx and the server of the sockets."""

import os
import resource
import socket
import subprocess
import sys
from pathlib import Path

from tests.doctor.conftest import Fronted
from tests.doctor.patient import Doctor
from tests.doctor.tutorial import Tutorial
from tests.running import REPO, Stack

Edits = dict[str, list[tuple[str, str]]]
PASS = "proxy_pass http://$ws_servers;"
EVERYBODY = "limit_req_zone $server_name zone=everybody:1m rate=1r/m;\n"


def sockets(to: str) -> Edits:
    """The sockets' location with this instead of its proxy_pass."""
    return {"sites/parley.conf": [(PASS, to)]}


def test_1_sockets_go_to_gunicorn(front: Fronted, doctor: Doctor) -> None:
    wrong = front(sockets("proxy_pass http://web;"))
    found = doctor(wrong)
    assert (found.hop, found.cause, found.code) == ("426", "sockets-go-to-gunicorn", 15)
    assert "sites/parley.conf:" in doctor.inside(wrong).evidence


def test_4_the_host_is_not_passed_on(front: Fronted, doctor: Doctor) -> None:
    found = doctor(front({"snippets/proxy-websocket.conf": [("include snippets/proxy-headers.conf;", "")]}))
    assert (found.hop, found.cause) == ("426", "host-is-not-passed-on")


def test_23_the_scheme_is_not_passed_on(front: Fronted, doctor: Doctor) -> None:
    alone = [("include snippets/proxy-headers.conf;", "proxy_set_header Host $http_host;")]
    found = doctor(front({"snippets/proxy-websocket.conf": alone}))
    assert (found.hop, found.cause) == ("426", "scheme-is-not-passed-on")


def test_33_claims_are_passed_on(front: Fronted, doctor: Doctor) -> None:
    believed = 'map $http_x_forwarded_proto $believed { default $http_x_forwarded_proto; "" https; }\n'
    edits = {
        "target/http.conf": [('map "" $hsts', believed + 'map "" $hsts')],
        "snippets/proxy-headers.conf": [("X-Forwarded-Proto $scheme", "X-Forwarded-Proto $believed")],
    }
    found = doctor(front(edits))
    assert "'http'" in found.warnings["claims-are-passed-on"]


def test_33_addresses_are_appended(front: Fronted, doctor: Doctor) -> None:
    edits = [("X-Forwarded-For $remote_addr", "X-Forwarded-For $proxy_add_x_forwarded_for")]
    found = doctor.inside(front({"snippets/proxy-headers.conf": edits}))
    assert "snippets/proxy-headers.conf:" in found.warnings["claims-are-passed-on"]


def test_10_the_prefix_is_stripped(front: Fronted, doctor: Doctor) -> None:
    found = doctor(front(sockets("proxy_pass http://ws/;")))
    assert (found.hop, found.cause) == ("426", "prefix-is-stripped")


def test_22_sockets_are_redirected(front: Fronted, doctor: Doctor, tutorial: Tutorial) -> None:
    found = doctor(front(tutorial.edits), "--ws-path", "/ws/redirected/")
    assert (found.hop, found.cause) == ("426", "sockets-are-redirected")


def test_13_daphne_is_down(front: Fronted, doctor: Doctor, tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as deaf:  # a file without a listener, as a crash leaves it
        deaf.bind(str(tmp_path / "s"))
        wrong = front(sockets(f"proxy_pass http://unix:{tmp_path}/s;"))
        assert (doctor(wrong).hop, doctor(wrong).cause) == ("426", "daphne-is-down")
        found = doctor.inside(wrong)
    assert (found.hop, found.cause) == ("426", "daphne-is-down")
    assert "connection refused" in found.evidence


def test_13_one_daphne_of_several_is_down(front: Fronted, doctor: Doctor) -> None:
    found = doctor.inside(front({"target/upstreams.conf": [("ws2.sock", "gone.sock")]}))
    assert "gone.sock: no such socket file" in found.warnings["one-daphne-of-several-is-down"]
    assert found.code == 0


def test_14_the_socket_file_is_missing(front: Fronted, doctor: Doctor) -> None:
    found = doctor.inside(front(sockets("proxy_pass http://unix:{folder}/gone.sock;")))
    assert (found.hop, found.cause) == ("426", "socket-file-is-missing")


def test_14_the_socket_file_is_closed_to_nginx(front: Fronted, doctor: Doctor, tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as closed:
        closed.bind(str(tmp_path / "s"))
        closed.listen()
        (tmp_path / "s").chmod(0)
        edits = sockets(f"proxy_pass http://unix:{tmp_path}/s;")
        if os.geteuid() == 0:  # nginx's own account, which then may not ask gunicorn here either
            edits["target/main.conf"] = [("user root;", "user www-data;")]
            edits["sites/parley.conf"].append(("proxy_pass http://$web_servers;", "return 200 hello;"))
        found = doctor.inside(front(edits))
    assert (found.hop, found.cause) == ("426", "socket-file-is-closed-to-nginx")
    assert "nginx runs as" in found.evidence


def test_16_proxy_pass_says_https(front: Fronted, doctor: Doctor) -> None:
    found = doctor.inside(front(sockets("proxy_pass https://ws;")))
    assert (found.hop, found.cause) == ("426", "proxy-pass-says-https")
    assert "sites/parley.conf:" in found.evidence


def test_16_nothing_answers_behind(front: Fronted, doctor: Doctor, tutorial: Tutorial) -> None:
    host, port = tutorial.silent.getsockname()
    found = doctor(front(sockets(f"proxy_pass http://{host}:{port};")), "--patience", "0.5")
    assert (found.hop, found.cause) == ("426", "nothing-answers-behind")


def test_12_apps_are_not_loaded(front: Fronted, doctor: Doctor, tmp_path: Path) -> None:
    words = [sys.executable, "-m", "daphne", "-u", f"{tmp_path}/s", "tests.doctor.too_early:application"]
    env = {name: value for name, value in os.environ.items() if name != "DJANGO_SETTINGS_MODULE"}
    with (tmp_path / "log").open("wb") as said:
        subprocess.run(words, cwd=REPO, env=env | {"PYTHONPATH": "app:."}, stdout=said, stderr=said, check=False)
    wrong = front(sockets(f"proxy_pass http://unix:{tmp_path}/s;"))
    found = doctor.inside(wrong, "--log", str(tmp_path / "log"))
    assert (found.hop, found.cause) == ("426", "apps-are-not-loaded")


def test_30_descriptors_run_out(front: Fronted, doctor: Doctor, tutorial: Tutorial) -> None:
    wrong = front(tutorial.edits)
    pid = tutorial.process.pid
    before = resource.prlimit(pid, resource.RLIMIT_NOFILE)
    open_ = len(list(Path(f"/proc/{pid}/fd").iterdir()))
    resource.prlimit(pid, resource.RLIMIT_NOFILE, (open_, before[1]))
    try:
        found = doctor.inside(wrong, "--ws-path", "/ws/echo/")
    finally:
        resource.prlimit(pid, resource.RLIMIT_NOFILE, before)
    assert (found.hop, found.cause) == ("426", "descriptors-run-out")


def test_30_few_descriptors(front: Fronted, doctor: Doctor, tutorial: Tutorial) -> None:
    pid = tutorial.process.pid
    before = resource.prlimit(pid, resource.RLIMIT_NOFILE)
    resource.prlimit(pid, resource.RLIMIT_NOFILE, (500, before[1]))
    try:
        found = doctor.inside(front(tutorial.edits), "--ws-path", "/ws/echo/")
    finally:
        resource.prlimit(pid, resource.RLIMIT_NOFILE, before)
    assert "of 500 files" in found.warnings["few-descriptors"]


def test_34_a_limit_says_503(front: Fronted, doctor: Doctor, stack: Stack) -> None:
    edits = sockets(f"limit_req zone=everybody; limit_req_status 503; {PASS}")
    edits["target/http.conf"] = [('map "" $hsts', f'{EVERYBODY}map "" $hsts')]
    edits["snippets/error-pages.conf"] = [("error_page 429 502 503 504", "error_page 429 502 504")]
    found = doctor(front(edits))
    assert (found.hop, found.cause) == ("426", "limit-says-503")


def test_0_we_are_limited(front: Fronted, doctor: Doctor) -> None:
    edits = sockets(f"limit_req zone=everybody; {PASS}")
    edits["target/http.conf"] = [('map "" $hsts', f'{EVERYBODY}map "" $hsts')]
    found = doctor(front(edits))
    assert (found.hop, found.cause) == ("426", "we-are-limited")


def test_0_the_site_is_closed(front: Fronted, doctor: Doctor) -> None:
    found = doctor(front(sockets("return 503;")))
    assert (found.hop, found.cause) == ("426", "site-is-closed")
