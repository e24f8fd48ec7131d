"""The doctor on a host with several sites reads the variables and the journal of the one that it examines."""

import re
import shlex
from dataclasses import replace
from pathlib import Path

import pytest
from jinja2 import Environment

from deploy import processes, render
from deploy.containers.project import Address, build_variables
from deploy.doctor.host import inspection, nginx_config
from deploy.doctor.observations import HostObservations
from deploy.doctor.options import OPTIONS_VARIABLE, make_parser, parse_arguments
from deploy.manifest import DoctorOptions
from tests.host.sites import REPO, SMALL, project

HANDSHAKE = DoctorOptions("feed.v2", "https://pages.example.org", 'sessionid=a b; note="it\'s 100% $HOME\\\\"')
MANIFEST = replace(SMALL, probe="/feed/?a=1&b=2", doctor=HANDSHAKE)


@pytest.fixture(autouse=True)
def etc(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name, text in {
        "parley/parley.env": "# ALLOWED_HOSTS=x\nALLOWED_HOSTS=chat.example.org\nREDIS_URL=unix:///run/redis/redis.sock\n",
        "shop/shop.env": 'SITE_HOSTS=shop.example.org\nSITE_REDIS_URL=unix:///run/shop/redis.sock\nQUOTED="a=b"\n',
        "other/environment.env": "SITE_HOSTS=shop.example.org\n",
    }.items():
        (tmp_path / name).parent.mkdir()
        (tmp_path / name).write_text(text)
    monkeypatch.setattr(inspection, "SITES", tmp_path)
    monkeypatch.delenv("REDIS_URL", raising=False)
    return tmp_path


@pytest.mark.parametrize(
    ("name", "units", "redis"),
    [
        ("chat.example.org", "parley-*", "unix:///run/redis/redis.sock"),
        ("shop.example.org", "shop-*", "unix:///run/shop/redis.sock"),
        ("example.org", "", ""),
    ],
)
def test_each_site_has_its_own_units_and_redis(name: str, units: str, redis: str) -> None:
    host = HostObservations()
    inspection.find_site(host, name)
    assert (host.units, inspection.find_redis(host)) == (units, redis)


def test_the_doctor_finds_the_location_of_handshakes_whatever_their_path(tmp_path: Path) -> None:
    block = render.render_host(project())["/etc/nginx/channels-stack/sites/tutorial.conf"]
    block = re.sub("include channels-stack/targets/tutorial/https-server.conf;", "server_name site.example.org;", block)
    text = f"# configuration file /n.conf:\nhttp {{\n{block}\n}}\n"
    found = nginx_config.parse_dump(text, "site.example.org", "/ws/chat/lobby/")
    assert found.ws_location
    assert found.ws_location.args == ["@websocket"]
    assert [directive.args for directive in found.effective("proxy_pass")] == [["http://tutorial-ws"]]


def read_handshake(text: str, monkeypatch: pytest.MonkeyPatch) -> tuple[str, DoctorOptions]:
    """Return what the doctor understands of this DOCTOR_OPTIONS."""
    monkeypatch.setenv(OPTIONS_VARIABLE, text)
    found = parse_arguments(make_parser(), ["https://site.example.org"])
    return found.ws_path, DoctorOptions(found.subprotocol, found.origin, found.cookie)


def test_every_field_of_doctor_reaches_the_doctor_of_a_host(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    jinja = Environment(trim_blocks=True)
    jinja.filters["combine"] = lambda one, other: {**one, **other}  # Ansible's
    template = jinja.from_string((REPO / "ansible/roles/app/templates/project.env").read_text())
    file = tmp_path / "tutorial.env"
    file.write_text(template.render(site=project(MANIFEST), site_environment={}))
    monkeypatch.setattr(processes, "SETTINGS", file)
    text = processes.read_setting(OPTIONS_VARIABLE)
    assert read_handshake(text, monkeypatch) == (MANIFEST.probe, HANDSHAKE)
    line = next(line for line in file.read_text().splitlines() if line.startswith(OPTIONS_VARIABLE))
    assert shlex.split(line) == [f"{OPTIONS_VARIABLE}={text}"], "systemd reads a quoted value as a shell does"


def test_every_field_of_doctor_reaches_the_doctor_in_containers(monkeypatch: pytest.MonkeyPatch) -> None:
    variables = build_variables(MANIFEST, Address("site.example.org", 443, 80), rewrites_ws=False)
    assert read_handshake(variables[OPTIONS_VARIABLE], monkeypatch) == (MANIFEST.probe, HANDSHAKE)
    assert OPTIONS_VARIABLE not in build_variables(SMALL, Address("", 8443, 8080), rewrites_ws=False)


def test_a_value_without_quotes_is_read_as_it_stands(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "tutorial.env"
    file.write_text(f"{OPTIONS_VARIABLE}=--ws-path=/ws/ --timeout 9\n")
    monkeypatch.setattr(processes, "SETTINGS", file)
    assert processes.read_setting(OPTIONS_VARIABLE) == "--ws-path=/ws/ --timeout 9"
