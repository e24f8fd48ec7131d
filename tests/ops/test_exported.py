"""The exported metrics are documented, used by alerts or the dashboard, and there on a live site."""

import asyncio
import contextlib
import json
import re
import subprocess
import sys

import httpx
import pytest
from prometheus_client import REGISTRY

import channels_stack.metrics  # noqa: F401  which registers some
from tests.running import REPO, Stack

OBSERVE = REPO / "docker" / "observe"
NAME = re.compile(r"\bchannels_[a-z_]+")


def asked() -> set[str]:
    """By alerts, and by the dashboard's queries."""
    panels = json.loads((OBSERVE / "dashboard.json").read_text())["panels"]
    queries = [target["expr"] for panel in panels for target in panel["targets"]]
    return set(NAME.findall("\n".join([*queries, (OBSERVE / "rules.yml").read_text()])))


def exported() -> set[str]:
    """As documented: a counter with its _total, a histogram once."""
    families = [family for each in REGISTRY._collector_to_names for family in getattr(each, "describe", each.collect)()]
    ours = [family for family in families if family.name.startswith("channels_")]
    return {family.name + ("_total" if family.type == "counter" else "") for family in ours}


def test_the_documented_metrics_are_the_exported_ones():
    rows = [line for line in (REPO / "deploy/metrics.md").read_text().splitlines() if line.startswith("| `")]
    documented = {name for row in rows for name in re.findall(r"`(channels_\w+)`", row.split("|")[1])}
    assert documented == exported()


def test_alerts_and_dashboard_use_most_metrics():
    bare = {name.removesuffix("_bucket").removesuffix("_count") for name in asked()}
    assert bare <= exported()
    assert exported() - bare == set()


async def scraped(stack: Stack, server: str) -> dict[str, float]:
    """What this server exports, by series."""
    socket = httpx.AsyncHTTPTransport(uds=str(stack.folder / f"var/run/{server}.sock"))
    async with httpx.AsyncClient(transport=socket, base_url="http://localhost", timeout=10) as direct:
        text = (await direct.get("/metrics")).text
    return {series: float(value) for series, value in re.findall(r"^([^#\s].*) (\S+)$", text, re.M)}


def doctor_visits(stack: Stack) -> None:
    """As its timer does."""
    report = stack.folder / "var/doctor.json"
    command = [sys.executable, "-m", "deploy.doctor", stack.url, "--json"]
    command += ["--ca", str(stack.folder / "var/tls/fullchain.pem")]
    with report.open("w") as file:
        subprocess.run(command, cwd=REPO, stdout=file, check=False, timeout=60)


async def test_every_used_metric_exists_after_a_small_load(stack: Stack):
    doctor_visits(stack)
    cookies = stack.people("ann", "bob")
    async with (
        await stack.connect(cookies[0], through="ws1") as hers,
        await stack.connect(cookies[1], through="ws2") as his,
    ):
        await hers.join("counted")
        await his.join("counted")
        for number in range(20):
            await hers.post("counted", f"word {number}")
        await his.wait_for_message("counted", "word 19")
        ws1, ws2, web = [await scraped(stack, server) for server in ("ws1", "ws2", "web")]
    after = await scraped(stack, "ws1")
    there = {series.split("{")[0] for server in (ws1, ws2, web, after) for series in server}
    assert asked() - there == set()
    assert ws1["channels_messages_total"] >= 20
    assert ws1["channels_delivery_seconds_count"] >= 1
    assert ws2["channels_delivery_seconds_count"] >= 1  # by way of Redis
    assert (
        ws2["channels_delivery_seconds_sum"] / ws2["channels_delivery_seconds_count"] < 10
    )  # seconds, not milliseconds
    assert ws1["channels_pool_wait_seconds_count"] >= 1
    assert ws1["channels_database_seconds_count"] >= 20
    assert ws1["channels_redis_seconds_count"] >= 1
    assert ws1["channels_pool_threads"] == 4
    assert 80 < web["channels_certificate_days"] < 100  # of deploy/local/certificate.py
    assert web["channels_doctor_exit_code"] == 0


async def test_gunicorn_answers_for_all_of_its_workers(stack: Stack):
    before = (await scraped(stack, "web"))['channels_request_seconds_count{status="2xx"}']
    async with stack.browser() as browser:
        for _ in range(12):
            assert (await browser.get("/livez")).status_code == 200
    seen = [(await scraped(stack, "web"))['channels_request_seconds_count{status="2xx"}'] for _ in range(6)]
    assert seen[0] >= before + 12
    assert seen == sorted(seen)  # whichever worker is asked


async def test_a_killed_server_is_reported_within_five_seconds(stack: Stack):
    """While the other carries the sockets."""
    (cookie,) = stack.people("ann")

    async def readyz(browser: httpx.AsyncClient) -> dict[str, object]:
        answer = await browser.get("/readyz")
        assert answer.status_code == 200  # the other server serves all clients
        return dict(answer.json())

    async with stack.browser() as browser, await stack.connect(cookie, through="ws2") as client:
        await client.join("missed")
        async with asyncio.timeout(30):  # another test may have killed a server
            while (await readyz(browser))["socket_servers"] != "ok":
                await asyncio.sleep(0.5)
        stack.kill("ws1", hold=True)
        try:
            async with asyncio.timeout(5):
                with pytest.raises(httpx.TransportError):
                    await scraped(stack, "ws1")  # up == 0
                while (result := (await readyz(browser))["socket_servers"]) == "ok":
                    await client.post("missed", "still here")
            assert result == "RuntimeError: 1 of 2 WebSocket servers sent no heartbeat"
        finally:
            stack.release("ws1")
        async with asyncio.timeout(30):
            while True:
                with contextlib.suppress(httpx.TransportError):
                    if (await scraped(stack, "ws1"))["channels_sockets_open"] == 0:
                        break
                await asyncio.sleep(0.1)
        began = (await scraped(stack, "ws1"))["process_start_time_seconds"]
        assert (
            began > (await scraped(stack, "ws2"))["process_start_time_seconds"]
        )  # the metrics show it afterwards, too
        async with asyncio.timeout(5):  # its report replaces that of the killed process
            while (await readyz(browser))["socket_servers"] != "ok":
                await asyncio.sleep(0.2)
