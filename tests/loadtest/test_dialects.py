"""What members say to each contender, and what they take for a delivery."""

import json
from uuid import UUID

import pytest

from loadtest.bench import message
from loadtest.bench.client.dialects import DIALECTS, ROOM
from loadtest.bench.client.room import Address, Plan
from tests.schema import check_command

TEXT = message.text(42, 1234567890123456)
JSON = message.JSON % TEXT


def test_the_message_is_the_same_json_of_120_bytes_for_all() -> None:
    assert len(JSON) == message.JSON_BYTES == 120
    assert json.loads(JSON) == {"message": TEXT.decode()}
    assert json.dumps({"message": TEXT.decode()}).encode() == JSON  # as the tutorial encodes it
    assert message.found_in(JSON) == [(42, 1234567890123456)]


def test_a_longer_message_is_as_long_as_asked_for() -> None:
    assert len(message.text(1, 2, 3_500)) == 3_500


@pytest.mark.parametrize(
    ("name", "payload"),
    [
        ("bare", JSON),
        ("posted", JSON),
        ("socketio", b'42["message",' + JSON + b"]"),
        ("nats", b"MSG bench 1 120\r\n" + JSON + b"\r\n"),
        ("parley", b'{"type":"events","events":[{"message":{"body":"' + TEXT + b'"}}]}'),
    ],
)
def test_a_delivery_is_recognised(name: str, payload: bytes) -> None:
    assert DIALECTS[name].carries(payload)
    assert message.found_in(payload) == [(42, 1234567890123456)]
    assert DIALECTS[name].answer(payload) is None
    assert not DIALECTS[name].complains(payload)


@pytest.mark.parametrize(
    ("name", "payload"),
    [
        ("bare", b'{"error": "no"}'),
        ("socketio", b'0{"sid":"x"}'),
        ("parley", b'{"type":"ok","id":3,"message":{"body":"' + TEXT + b'"}}'),  # the sender's own ack
        ("parley", b'{"type":"joined","events":[{"message":{"body":"' + TEXT + b'"}}]}'),  # history
    ],
)
def test_other_frames_are_no_deliveries(name: str, payload: bytes) -> None:
    assert not DIALECTS[name].carries(payload)


def test_socketio_enters_its_namespace_when_the_engine_is_open_and_answers_pings() -> None:
    dialect = DIALECTS["socketio"]
    assert dialect.opening(listens=True) == []
    assert dialect.answer(b'0{"sid":"abc","pingInterval":25000}') == b"40"
    assert dialect.is_ready(b'40{"sid":"def"}', listens=True)
    assert dialect.answer(b"2") == b"3"
    assert dialect.publish(TEXT) == b'42["message",' + JSON + b"]"


def test_nats_connects_subscribes_and_asks_for_a_pong_to_know_that_it_is_in() -> None:
    dialect = DIALECTS["nats"]
    (said,) = dialect.opening(listens=True)
    connect, subscribe, ping, end = said.split(b"\r\n")
    assert connect.startswith(b"CONNECT {")
    assert (subscribe, ping, end) == (b"SUB bench 1", b"PING", b"")
    assert dialect.is_ready(b"PONG\r\n", listens=True)
    assert dialect.answer(b"PING\r\n") == b"PONG\r\n"
    assert dialect.publish(TEXT) == b"PUB bench 120\r\n" + JSON + b"\r\n"
    assert dialect.complains(b"-ERR 'Unknown Protocol Operation'\r\n")


def test_nchan_is_posted_to_by_http() -> None:
    head, _, body = DIALECTS["posted"].publish(TEXT).partition(b"\r\n\r\n")
    assert head.startswith(b"POST /publish/bench HTTP/1.1\r\n")
    assert b"Content-Length: 120" in head
    assert body == JSON


def test_the_tutorial_is_told_what_its_page_would_say() -> None:
    assert DIALECTS["bare"].publish(TEXT) == JSON


def test_parley_hears_valid_commands() -> None:
    dialect = DIALECTS["parley"]
    hello, join = map(json.loads, dialect.opening(listens=True))
    send, pong = (
        json.loads(dialect.publish(TEXT)),
        json.loads(dialect.answer(b'{"type":"ping","n":7,"heads":{}}') or b""),
    )
    for command in (hello, join, send, pong):
        check_command(command)
    assert (hello["type"], join["room"], send["body"], pong["n"]) == ("hello", ROOM, TEXT.decode(), 7)
    assert UUID(send["cid"])
    assert json.loads(dialect.publish(TEXT))["cid"] != send["cid"]


def test_who_does_not_listen_only_says_hello_to_parley() -> None:
    dialect = DIALECTS["parley"]
    assert [json.loads(said)["type"] for said in dialect.opening(listens=False)] == ["hello"]
    assert dialect.is_ready(b'{"type":"welcome"}', listens=False)
    assert not dialect.is_ready(b'{"type":"welcome"}', listens=True)
    assert dialect.is_ready(b'{"type":"joined"}', listens=True)


def test_a_handshake_names_the_protocol_the_origin_and_whose_session_it_is() -> None:
    plan = Plan("parley", Address(port=1, tls=True), "/ws/", 3, 1, 3, cookies=["a", "b"])
    requests = [plan.request(index).decode().split("\r\n") for index in range(3)]
    assert requests[0][0] == "GET /ws/ HTTP/1.1"
    assert "Sec-WebSocket-Protocol: parley.v1" in requests[0]
    assert "Origin: https://localhost" in requests[0]
    assert [lines[-3] for lines in requests] == [f"Cookie: sessionid={key}" for key in "aba"]
    assert requests[0][-2:] == ["", ""]
