"""The profiles of the stack: a server for developers, Prometheus, the doctor."""

import asyncio
import contextlib
from http import HTTPStatus
from pathlib import Path

import httpx

from tests.docker.compose import Compose


async def answer(url: str) -> httpx.Response:
    """Return the answer of a server that may still be starting: until it is ready, Prometheus answers 503."""
    async with httpx.AsyncClient(timeout=5) as client, asyncio.timeout(60):
        while True:
            with contextlib.suppress(httpx.TransportError):
                response = await client.get(url)
                if response.status_code != HTTPStatus.SERVICE_UNAVAILABLE:
                    return response
            await asyncio.sleep(0.2)


async def test_dev_serves_the_code_of_the_checkout(compose: Compose) -> None:
    compose("--profile", "dev", "up", "--detach", "--no-recreate", "dev")
    try:
        site = f"http://localhost:{compose.dev_port}"
        assert (await answer(f"{site}/")).status_code == 200
        assert (await answer(f"{site}/static/chat/room.js")).text.startswith("import ")  # the source file
        (container,) = compose.inspect(*compose("--profile", "dev", "ps", "--quiet", "dev").split())
        assert [mount["Mode"] for mount in container["Mounts"] if mount["Type"] == "bind"] == ["ro"]
        assert "--reload" in container["Config"]["Entrypoint"]
    finally:
        compose("--profile", "dev", "rm", "--stop", "--force", "dev")


async def test_prometheus_finds_every_replica_and_accepts_the_rules(compose: Compose) -> None:
    compose("--profile", "observe", "up", "--detach", "--no-recreate", "--no-deps", "prometheus")
    try:
        api = f"http://localhost:{compose.prometheus_port}/api/v1"
        async with asyncio.timeout(90):
            while True:  # it discovers and scrapes the replicas every few seconds
                targets = (await answer(f"{api}/targets?state=active")).json()["data"]["activeTargets"]
                if len(targets) == 2 and all(target["health"] == "up" for target in targets):
                    break
                await asyncio.sleep(1)
        assert {target["labels"]["job"] for target in targets} == {"web", "ws"}
        groups = (await answer(f"{api}/rules")).json()["data"]["groups"]
        assert [rule["name"] for group in groups for rule in group["rules"]]
        sockets = (await answer(f"{api}/query?query=channels_sockets_open")).json()["data"]["result"]
        assert "ws" in {series["metric"]["job"] for series in sockets}
        # promtool is in the image of Prometheus: it tests that each alert fires when it should.
        trial = (Path(__file__).parent / "rules.yml").read_text()
        trial = trial.replace("../../docker/observe/rules.yml", "/etc/prometheus/rules.yml")
        (container,) = compose("--profile", "observe", "ps", "--quiet", "prometheus").split()
        command = 'printf %s "$1" >/tmp/trial.yml && promtool test rules /tmp/trial.yml'
        assert "SUCCESS" in compose.docker("exec", container, "sh", "-c", command, "sh", trial)
    finally:
        compose("--profile", "observe", "rm", "--stop", "--force", "prometheus")


async def test_the_doctors_report_is_in_the_metrics(compose: Compose) -> None:
    compose("--profile", "observe", "up", "--detach", "--no-recreate", "--no-deps", "doctor")
    try:
        ask = "import urllib.request as u; print(u.urlopen('http://127.0.0.1:8000/metrics').read().decode())"
        (web,) = compose.containers("web")
        async with asyncio.timeout(60):
            while "channels_doctor_exit_code 0.0" not in (seen := compose.docker("exec", web, "python", "-c", ask)):
                await asyncio.sleep(1)
        assert "channels_doctor_visit_timestamp_seconds " in seen
    finally:
        compose("--profile", "observe", "rm", "--stop", "--force", "doctor")
