"""The metrics of the servers, which are not public."""

import httpx

from tests.running import Stack


async def read_metrics(stack: Stack, name: str) -> dict[str, float]:
    """Return the metrics of one daphne (ws1, ws2)."""
    socket = httpx.AsyncHTTPTransport(uds=str(stack.folder / f"var/run/{name}.sock"))
    async with httpx.AsyncClient(transport=socket, base_url="http://localhost") as direct:
        text = (await direct.get("/metrics")).text
    return {line.rsplit(" ", 1)[0]: float(line.rsplit(" ", 1)[1]) for line in text.splitlines() if line[0] != "#"}


async def test_metrics_count_sockets_handshakes_closes_deliveries_and_loop_lag(stack: Stack):
    (cookie,) = stack.people("ann")
    before = await read_metrics(stack, "ws1")
    async with await stack.connect(cookie, through="ws1") as client:
        await client.join("counting")
        await client.post("counting", "One")
        await client.wait_for_message("counting", "One")
        during = await read_metrics(stack, "ws1")
        assert during["channels_sockets_open"] == before["channels_sockets_open"] + 1
        assert during["channels_deliveries_total"] > before["channels_deliveries_total"]
        accepted = 'channels_handshakes_total{result="accepted"}'
        assert during[accepted] == before.get(accepted, 0) + 1
        assert 0 <= during["channels_loop_lag_seconds"] < 10
        assert during["channels_waiting_bytes"] == 0
    after = await read_metrics(stack, "ws1")
    assert after["channels_sockets_open"] == before["channels_sockets_open"]
    assert after['channels_closes_total{code="1000"}'] == before.get('channels_closes_total{code="1000"}', 0) + 1


async def test_nginx_does_not_publish_the_metrics(stack: Stack):
    async with stack.browser() as browser:
        assert (await browser.get("/metrics")).status_code == 404
