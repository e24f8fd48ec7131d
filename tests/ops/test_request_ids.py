"""One id for a request in nginx's log, the site's log and the error page."""

import asyncio
import json
import logging
import re
from typing import Any

import pytest

from channels_stack import logs
from config.worker import ignore_request_ids
from tests.chat_client import ChatClient
from tests.running import Stack, Wss

FORGED = "f" * 32


async def accessed(stack: Stack, **fields: str) -> dict[str, Any]:
    """nginx's own line about a request; it is written after the answer has left, a socket's when that ends."""
    async with asyncio.timeout(10):
        while True:
            lines = (stack.folder / "var/log/access.log").read_text().splitlines(keepends=True)
            entries = [json.loads(line) for line in lines if line.endswith("\n")]
            if found := [entry for entry in entries if fields.items() <= entry.items()]:
                return dict(found[-1])
            await asyncio.sleep(0.02)


async def test_the_error_page_has_the_id_of_both_logs(stack: Stack):
    async with stack.browser() as browser:
        answer = await browser.get("/chat/nowhere-to-be/found", headers={"X-Request-ID": FORGED})
    assert answer.status_code == 404
    (quoted,) = re.findall(r"<code>(\w+)</code>", answer.text)
    assert re.fullmatch(r"[0-9a-f]{32}", quoted)
    assert quoted != FORGED
    assert answer.headers.get_list("X-Request-ID") == [quoted]
    assert (await accessed(stack, path="/chat/nowhere-to-be/found"))["request_id"] == quoted
    await stack.wait_for_log(f"WARNING django.request: Not Found: /chat/nowhere-to-be/found [{quoted}]")


async def test_a_sockets_connection_is_the_id_of_its_handshake(stack: Stack):
    (cookie,) = stack.people("ann")
    headers = {"Cookie": f"sessionid={cookie}", "X-Request-ID": FORGED}
    async with ChatClient(await Wss.open(stack, cookie, additional_headers=headers)) as client:
        connection = client.welcome["connection"]
        assert connection != FORGED
    assert (await accessed(stack, request_id=connection))["status"] == "101"


async def test_without_nginx_every_request_gets_a_new_id():
    seen = []

    async def application(scope: dict[str, Any], receive: Any, send: Any) -> None:
        seen.extend(scope["headers"])

    headers = [(b"x-request-id", FORGED.encode()), (b"host", b"x")]
    await ignore_request_ids(application)({"type": "http", "headers": headers}, None, None)
    assert seen == [(b"host", b"x")]
    assert re.fullmatch(r"[0-9a-f]{32}", logs.begin_request(None))


@pytest.mark.parametrize("sent", ["", "short", "F" * 32, f"{'a' * 32}\n", "<script>" * 4])
def test_a_wrong_request_id_is_replaced(sent: str):
    assert logs.begin_request(sent) not in (sent, sent.strip())


def test_a_json_line_is_one_line_whatever_is_in_it():
    logs.begin_request("a" * 32)
    logs.COMMAND_ID.set("7\n8")
    try:
        int("two\nlines \ud800")
    except ValueError as error:
        record = logging.LogRecord("chat.ws", logging.ERROR, __file__, 1, "of %s", ("bob\nalice",), None)
        record.exc_info = (type(error), error, error.__traceback__)
    line = logs.JsonFormatter().format(record)
    assert "\n" not in line
    line.encode()
    fields = json.loads(line)
    assert (fields["request_id"], fields["command"], fields["message"]) == ("a" * 32, "7\n8", "of bob\nalice")
    assert (fields["level"], fields["logger"]) == ("ERROR", "chat.ws")
    assert fields["error"].startswith("Traceback")
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT[\d:.]+\+00:00", fields["time"])
