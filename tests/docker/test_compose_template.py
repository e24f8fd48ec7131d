"""docker/compose.yaml.j2 renders the Compose file of every site; the chat's, docker/compose.yaml, is committed.

No engine is needed, but `docker compose`, which reads the files.
"""

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from deploy.containers.chat import CHAT, CHAT_COMPOSE_FILE
from deploy.containers.compose import render_compose
from deploy.containers.project import Address, describe_compose
from deploy.manifest import WrongManifest, parse_manifest
from tests.docker.compose import environment

ADDRESS = Address("", 8443, 8080)
SMALL = 'name = "tutorial"'
FULL = """
name = "tide-tables"
domain = "tides.example.org"
root = "server"
settings = "tides.settings"
python = "3.12"
packages = ["markdown"]
secrets = ["STRIPE_KEY"]
database = "sqlite"
media = true
ports = [8001, 4000]
network = true
build = [{ run = "npm ci && npm run build", folder = "client" }]
release = ["python manage.py loaddata ports"]
probe = "/ws/tides/"
variables = { PRICE = "$5 and ${HOME}", QUOTED = 'say "tide": # high' }

[env]
hosts = "TIDES_HOSTS"
url = "TIDES_URL"
redis = "TIDES_REDIS"
database = "TIDES_DATABASE"
secret = "TIDES_KEY"

[processes.worker]
run = "celery -A tides worker"
stop_seconds = 75

[processes.postgres]
run = "node relay.js --name \\"the relay\\""
folder = "relay"

[timers.forecast]
run = "python manage.py forecast"
calendar = "*:0/15"
"""
OWN_DATABASE = 'name = "borrowed"\ndatabase = "own"\nmedia = false'


def render(manifest: str, address: Address = ADDRESS) -> str:
    parsed = parse_manifest(manifest, Path("/srv/project/stack.toml"))
    return render_compose(describe_compose(parsed, parsed.name, address, rewrites_ws=False))


def config(text: str, folder: Path) -> dict[str, Any]:
    """Return the file as compose understands it. Names that it makes itself, such as volumes, are resolved."""
    file = folder / "docker" / "compose.yaml"
    file.parent.mkdir(exist_ok=True)
    file.write_text(text)
    command = ["docker", "compose", "--file", str(file), "--profile", "*", "config", "--format", "json"]
    done = subprocess.run(command, env=environment(), capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    return dict(json.loads(done.stdout))


@pytest.fixture(scope="module", autouse=True)
def compose_is_installed() -> None:
    if subprocess.run(["docker", "compose", "version"], capture_output=True, check=False).returncode:
        pytest.skip("docker compose is not installed here")


def test_the_chats_file_is_what_the_template_renders() -> None:
    """After a change of the template: python -m deploy.containers.chat."""
    assert CHAT_COMPOSE_FILE.read_text() == render_compose(CHAT)


@pytest.mark.parametrize("manifest", [SMALL, FULL, OWN_DATABASE], ids=["small", "every field", "own database"])
def test_a_projects_file_is_valid_and_every_container_is_hardened(manifest: str, tmp_path: Path) -> None:
    for name, service in config(render(manifest), tmp_path)["services"].items():
        assert service["read_only"], name
        assert service["cap_drop"] == ["ALL"], name
        assert service["security_opt"] == ["no-new-privileges:true"], name
        assert service["pids_limit"], name
        assert int(service["mem_limit"]), name


@pytest.mark.parametrize("manifest", [SMALL, FULL, OWN_DATABASE], ids=["small", "every field", "own database"])
def test_no_name_of_a_project_contains_that_of_the_chat(manifest: str, tmp_path: Path) -> None:
    text = render(manifest)
    found = config(text, tmp_path)
    names = [found["name"], *found["services"], *(volume["name"] for volume in found["volumes"].values())]
    for service in found["services"].values():
        names += [service.get("image", ""), *(service.get("environment") or {}), str(service.get("command"))]
        names += [mount["target"] for mount in service.get("volumes", ())]
    assert not [name for name in names if "parley" in name.lower()]
    assert {volume["name"].split("_")[0] for volume in found["volumes"].values()} == {found["name"]}


def test_a_small_project_has_a_database_a_redis_and_the_servers(tmp_path: Path) -> None:
    services = config(render(SMALL), tmp_path)["services"]
    assert services.keys() - {"acme", "prometheus"} == {"init", "release", "web", "ws", "nginx", "redis", "postgres"}
    assert services["postgres"]["environment"]["POSTGRES_USER"] == "tutorial"
    assert services["web"]["image"] == "tutorial:local"
    assert {"TIDES_HOSTS", "REDIS_URL"}.isdisjoint(services["web"]["environment"])


def test_the_manifest_reaches_the_containers(tmp_path: Path) -> None:
    found = config(render(FULL, Address("tides.example.org", 443, 80)), tmp_path)
    services = found["services"]
    assert "postgres" not in services
    web = services["web"]
    assert [mount["target"] for mount in web["volumes"]] == [
        "/run/secrets",
        "/made/static",
        "/made/media",
        "/made/data",
    ]
    assert [mount.get("read_only", False) for mount in web["volumes"]] == [True, True, False, False]
    assert web["environment"] == {
        "PRICE": "$$5 and $${HOME}",  # as `config` writes a dollar sign
        "QUOTED": 'say "tide": # high',
        "TIDES_HOSTS": "tides.example.org,localhost,127.0.0.1,[::1]",
        "TIDES_URL": "https://tides.example.org",
        "TIDES_REDIS": "redis://redis:6379/0",
        "DRAIN_SECONDS": "3",
        "DOCTOR_OPTIONS": "--ws-path=/ws/tides/",
    }
    init = services["init"]
    assert init["environment"]["SECRET_COPIES"] == "TIDES_KEY=SECRET_KEY TIDES_DATABASE=DATABASE_URL"
    assert init["build"]["args"] == {
        "PYTHON_IMAGE": "python:3.12-slim-trixie",
        "SITE": "tide-tables",
        "WHEELS": "",
        "ROOT": "server",
        "BUILD_PACKAGES": "nodejs npm",
        "RUNTIME_PACKAGES": "nodejs",
    }
    assert services["worker"]["command"] == ["run", "/opt/tide-tables/source/server", "celery -A tides worker"]
    assert services["worker"]["stop_grace_period"] == "1m15s"
    relay = services["postgres-process"]  # `postgres` is the stack's own
    assert relay["command"] == ["run", "/opt/tide-tables/source/relay", 'node relay.js --name "the relay"']
    assert services["timers"]["command"] == ["timers"]
    assert [port["published"] for port in services["nginx"]["ports"]] == ["443", "80", "8001", "4000"]
    assert not found["networks"]["app"].get("internal")  # network = true
    assert "STRIPE_KEY" not in json.dumps(found)  # secrets are files


def test_a_project_without_network_reaches_no_other_host(tmp_path: Path) -> None:
    found = config(render(SMALL), tmp_path)
    assert {name for name, network in found["networks"].items() if not network.get("internal")} == {"front"}
    usual = {name for name, service in found["services"].items() if not service.get("profiles")}
    assert {name for name in usual if "front" in (found["services"][name].get("networks") or {})} == {"nginx"}


def test_a_project_with_its_own_database_has_no_volume_for_one(tmp_path: Path) -> None:
    found = config(render(OWN_DATABASE), tmp_path)
    assert {"database", "database-secrets", "media"}.isdisjoint(found["volumes"])
    assert found["services"]["init"]["environment"]["SITE_DATABASE"] == "own"


def test_a_timer_that_containers_cannot_plan_is_refused() -> None:
    with pytest.raises(WrongManifest, match=r"timers.tick.calendar: .*Europe/Berlin.*containers understand"):
        render(f'{SMALL}\n[timers.tick]\nrun = "true"\ncalendar = "03:00 Europe/Berlin"')
