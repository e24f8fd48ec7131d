"""What members send to each contender, and how they recognize a delivery."""

import json
from uuid import UUID

import pytest

from loadtest.bench import message
from loadtest.bench.client.protocols import CHAT_ROOM, PROTOCOLS
from loadtest.bench.client.room import Address, ClientPlan
from loadtest.core.message_tag import MessageTag
from tests.schema import check_command

TAGGER = message.make_tagger()
TAG = MessageTag(3, 42, 1234567890123456)
TEXT = TAGGER.build_text(TAG).encode()
JSON = message.JSON_TEMPLATE % TEXT


def test_the_message_is_the_same_json_of_120_bytes_for_all() -> None:
    assert len(JSON) == message.JSON_BYTES == 120
    assert json.loads(JSON) == {"message": TEXT.decode()}
    assert json.dumps({"message": TEXT.decode()}).encode() == JSON  # as the tutorial encodes it
    assert TAGGER.find_tags(JSON) == [TAG]


def test_a_longer_message_is_as_long_as_asked_for() -> None:
    assert len(message.make_tagger(3_500).build_text(TAG)) == 3_500


@pytest.mark.parametrize(
    ("name", "payload"),
    [
        ("plain", JSON),
        ("nchan", JSON),
        ("socketio", b'42["message",' + JSON + b"]"),
        ("nats", b"MSG bench 1 120\r\n" + JSON + b"\r\n"),
        ("parley", b'{"type":"events","events":[{"message":{"body":"' + TEXT + b'"}}]}'),
    ],
)
def test_a_delivery_is_recognised(name: str, payload: bytes) -> None:
    assert PROTOCOLS[name].carries_messages(payload)
    assert TAGGER.find_tags(payload) == [TAG]
    assert PROTOCOLS[name].build_reply(payload) is None
    assert not PROTOCOLS[name].is_error(payload)


@pytest.mark.parametrize(
    ("name", "payload"),
    [
        ("plain", b'{"error": "no"}'),
        ("socketio", b'0{"sid":"x"}'),
        ("parley", b'{"type":"ok","id":3,"message":{"body":"' + TEXT + b'"}}'),  # the sender's own ack
        ("parley", b'{"type":"joined","events":[{"message":{"body":"' + TEXT + b'"}}]}'),  # history
    ],
)
def test_other_frames_are_not_deliveries(name: str, payload: bytes) -> None:
    assert not PROTOCOLS[name].carries_messages(payload)


def test_socketio_enters_its_namespace_when_the_engine_is_open_and_answers_pings() -> None:
    protocol = PROTOCOLS["socketio"]
    assert protocol.opening_frames(listens=True) == []
    assert protocol.build_reply(b'0{"sid":"abc","pingInterval":25000}') == b"40"
    assert protocol.is_ready(b'40{"sid":"def"}', listens=True)
    assert protocol.build_reply(b"2") == b"3"
    assert protocol.build_publish(TEXT) == b'42["message",' + JSON + b"]"


def test_nats_connects_subscribes_and_asks_for_a_pong() -> None:
    protocol = PROTOCOLS["nats"]
    (opening,) = protocol.opening_frames(listens=True)
    connect, subscribe, ping, end = opening.split(b"\r\n")
    assert connect.startswith(b"CONNECT {")
    assert (subscribe, ping, end) == (b"SUB bench 1", b"PING", b"")
    assert protocol.is_ready(b"PONG\r\n", listens=True)
    assert protocol.build_reply(b"PING\r\n") == b"PONG\r\n"
    assert protocol.build_publish(TEXT) == b"PUB bench 120\r\n" + JSON + b"\r\n"
    assert protocol.is_error(b"-ERR 'Unknown Protocol Operation'\r\n")


def test_nchan_gets_messages_by_http_post() -> None:
    head, _, body = PROTOCOLS["nchan"].build_publish(TEXT).partition(b"\r\n\r\n")
    assert head.startswith(b"POST /publish/bench HTTP/1.1\r\n")
    assert b"Content-Length: 120" in head
    assert body == JSON


def test_the_tutorial_gets_what_its_page_would_send() -> None:
    assert PROTOCOLS["plain"].build_publish(TEXT) == JSON


def test_the_bundled_chat_gets_valid_commands() -> None:
    protocol = PROTOCOLS["parley"]
    hello, join = map(json.loads, protocol.opening_frames(listens=True))
    send, pong = (
        json.loads(protocol.build_publish(TEXT)),
        json.loads(protocol.build_reply(b'{"type":"ping","n":7,"heads":{}}') or b""),
    )
    for command in (hello, join, send, pong):
        check_command(command)
    assert (hello["type"], join["room"], send["body"], pong["n"]) == ("hello", CHAT_ROOM, TEXT.decode(), 7)
    assert UUID(send["cid"])
    assert json.loads(protocol.build_publish(TEXT))["cid"] != send["cid"]


def test_a_member_that_does_not_listen_only_says_hello_to_parley() -> None:
    protocol = PROTOCOLS["parley"]
    assert [json.loads(frame)["type"] for frame in protocol.opening_frames(listens=False)] == ["hello"]
    assert protocol.is_ready(b'{"type":"welcome"}', listens=False)
    assert not protocol.is_ready(b'{"type":"welcome"}', listens=True)
    assert protocol.is_ready(b'{"type":"joined"}', listens=True)


def test_a_handshake_has_the_subprotocol_the_origin_and_a_session() -> None:
    plan = ClientPlan("parley", Address(port=1, tls=True), "/ws/", 3, 1, 3, cookies=["a", "b"])
    requests = [plan.build_request(index).data.decode().split("\r\n") for index in range(3)]
    assert requests[0][0] == "GET /ws/ HTTP/1.1"
    assert "Sec-WebSocket-Protocol: parley.v1" in requests[0]
    assert "Origin: https://localhost" in requests[0]
    assert [lines[-3] for lines in requests] == [f"Cookie: sessionid={key}" for key in "aba"]
    assert requests[0][-2:] == ["", ""]
