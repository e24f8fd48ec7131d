"""Every wrong frame gets an error frame or a close code, and none of them ends the process or leaves a traceback."""

import contextlib
import copy
import json
from functools import cache
from typing import Any
from uuid import uuid4

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from chat import limits
from tests import asgi_transport, schema
from tests.chat_client import Closed
from tests.schema import check_reply

CID = "0b54e1c5-6d0c-4d5c-9a48-3f3d3c1f2a11"
COMMANDS: dict[str, dict[str, Any]] = {
    "hello": {"client": "x"},
    "join": {"room": "harbour", "since": {"epoch": "x", "seq": 1}, "limit": 10},
    "leave": {"room": "nowhere"},
    "send": {"room": "harbour", "cid": CID, "body": "x", "reply_to": None},
    "edit": {"message": 1, "body": "x", "rev": 1},
    "delete": {"message": 1},
    "read": {"room": "harbour", "seq": 1},
    "typing": {"room": "harbour", "on": True},
    "history": {"room": "harbour", "before": 1, "after": None, "limit": 10},
    "pong": {"n": 1},
}
WRONG: list[Any] = [
    None, True, False, 0, -1, 1.5, 2**53, 2**63, 2**64, 10**40, 1e300, "", "x", "\0", "~", "x" * 65, "x" * 101, [], [1],
    {}, {"epoch": 1, "seq": 1}, {"epoch": "x", "seq": -1}, {"epoch": "x" * 65, "seq": 1}, {"seq": 1}, {"epoch": "x"},
]  # fmt: skip


@pytest.fixture(autouse=True)
def patient_server(settings):
    settings.SOCKET_RATE = settings.SOCKET_BURST = 1_000_000


async def answer_to(client, text):
    """The one frame that answers a text; raises Closed."""
    seen = len(client.frames)
    await client.transport.send(text)
    await client.wait_until(lambda client: len(client.frames) > seen)
    return client.frames[seen]


async def works(client):
    body = uuid4().hex
    await client.post("harbour", body)
    await client.wait_for_message("harbour", body)


# --- wrong types in every field


@cache
def document() -> dict[str, Any]:
    return yaml.load(schema.DOCUMENT.read_text(), Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))


def fits(frame: dict[str, Any]) -> bool:
    """Whether the published schema lets a client say this."""
    try:
        schema.check_command(frame)
    except Exception:
        return False
    return True


def mutilated(command: str):
    """The command with each field of its schema replaced by, or lacking, everything that does not fit there."""
    properties = document()["components"]["schemas"][command.title()]["properties"]
    whole = {"type": command, "id": 5, **COMMANDS[command]}
    assert set(whole) - set(properties) <= {"id"}  # pong has none
    assert fits({name: value for name, value in whole.items() if name in properties})
    for name in properties:
        for value in WRONG:
            frame = copy.deepcopy(whole) | {name: value}
            if name != "type" and not fits(frame):
                yield name, frame
        frame = {key: value for key, value in whole.items() if key != name}
        if name != "type" and not fits(frame):
            yield name, frame


@pytest.mark.parametrize("command", COMMANDS)
async def test_a_wrong_value_in_any_field_is_an_error_frame_with_the_commands_id(connect, room, alice, command):
    tried = set()
    async with connect(alice, "harbour") as hers:
        for name, frame in mutilated(command):
            error = await answer_to(hers, json.dumps(frame))
            assert (error["type"], error["code"]) == ("error", "invalid"), frame
            assert error["id"] == (frame.get("id") if name != "id" else None), frame
            assert name in error["text"] or name.title() in error["text"], (error["text"], frame)
            tried.add(name)
        await works(hers)
    needs_no_value_check = {"type"}
    assert tried == set(document()["components"]["schemas"][command.title()]["properties"]) - needs_no_value_check


@pytest.mark.parametrize("cid", ["x", "", CID[:-1], CID + "0", f"{{{CID}}}", f"urn:uuid:{CID}", "z" * 36])
async def test_a_cid_that_is_no_uuid_is_an_error_frame(connect, room, alice, cid):
    async with connect(alice, "harbour") as hers:
        frame = {"type": "send", "id": 5, "room": "harbour", "cid": cid, "body": "x"}
        assert (await answer_to(hers, json.dumps(frame)))["code"] == "invalid"
        await works(hers)


@pytest.mark.parametrize(
    "type", [None, 1, "", "Hello", "HELLO", "ok", "welcome", "__init__", "on_hello", "react", "auth", ["hello"], {}]
)
async def test_an_unknown_type_is_an_error_frame(connect, room, alice, type):
    async with connect(alice, "harbour") as hers:
        error = await answer_to(hers, json.dumps({"type": type, "id": 7}))
        assert (error["type"], error["code"], error["id"]) == ("error", "invalid", 7)
        await works(hers)


@pytest.mark.parametrize("slug", ["\0", "a\0", "~\0" + "a" * 15, "no such", "-", "_x", "%s", "../x", "é\0", "\ufffd"])
async def test_a_name_that_no_room_can_have_is_refused_by_every_command(connect, room, alice, slug):
    async with connect(alice, "harbour") as hers:
        for command, fields in COMMANDS.items():
            if "room" in fields:
                error = await answer_to(hers, json.dumps({"type": command, "id": 5, **fields, "room": slug}))
                assert error["type"] == "error", command
                assert error["code"] in ("not_found", "bad_name"), (command, error)
        await works(hers)


async def test_one_bad_post_does_not_make_others_fail(connect, room, alice, bob):
    async with connect(alice, "harbour") as hers, connect(bob, "harbour") as his:
        for _ in range(20):  # they share transactions
            await his.transport.send(
                json.dumps({"type": "send", "id": 5, "room": "\0", "cid": str(uuid4()), "body": "x"})
            )
            await hers.post("harbour", "x")
        await works(his)


# --- texts that are no commands


@pytest.mark.parametrize(
    "text",
    ["[]", "null", "1", '"x"', "true", "{}", '{"id": 1}', "[" * 10_000 + "]" * 10_000, "1" + "0" * 4000, "1e400", "-0"],
)
async def test_json_that_is_no_command_is_an_error_frame(connect, room, alice, text):
    async with connect(alice, "harbour") as hers:
        error = await answer_to(hers, text)
        assert (error["type"], error["code"]) == ("error", "invalid")
        await works(hers)


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        "{",
        "}",
        "hello",
        "{'type': 'pong', 'n': 1}",
        '{"type": "pong", "n": 1} {"type": "pong", "n": 2}',
        '{"type": "pong", "n": NaN}',
        '{"type": "pong", "n": Infinity}',
        '{"type": "pong", "n": 1,}',
        '{"type": "pong", "n": 0x1}',
        '{"type": "pong", "n": 01}',
        '{"type": "pong\n", "n": 1}',
        "\ufeff" + '{"type": "pong", "n": 1}',
        '{"a":' * 10_000 + "1" + "}" * 10_000,
        '{"type":"join","id":1,"room":"harbour","extra":' + "[" * 10_000 + "]" * 10_000 + "}",
        '"\\ud800"',
    ],
)
async def test_a_frame_that_is_not_json_closes_the_socket_with_4400(connect, alice, text):
    async with connect(alice) as hers:
        await hers.transport.send(text)
        assert await hers.wait_closed() == 4400
        assert (hers.frames[-1]["type"], hers.frames[-1]["reconnect_in"]) == ("bye", None)


async def test_a_binary_frame_closes_the_socket_with_1003(connect, alice):
    async with connect(alice) as hers:
        await hers.transport.send_bytes(b'{"type": "pong", "n": 1}')
        assert await hers.wait_closed() == 1003


@pytest.mark.parametrize("letter", ["x", "é", "😀"])
async def test_a_frame_over_64_kib_closes_the_socket_with_1009(connect, room, alice, letter):
    size = len(letter.encode())
    head, tail = '{"type": "pong", "n": 1, "x": "', '"}'
    most = (limits.FRAME_BYTES - len(head) - len(tail)) // size
    async with connect(alice, "harbour") as hers:
        await hers.transport.send(head + letter * most + tail)
        await works(hers)
        await hers.transport.send(head + letter * (most + 1) + tail + " " * size)
        assert await hers.wait_closed() == 1009


async def test_the_last_value_of_a_repeated_key_counts(connect, room, alice):
    async with connect(alice, "harbour") as hers:
        answer = await answer_to(hers, '{"type": "history", "id": 1, "room": "nowhere", "id": 2, "room": "harbour"}')
        assert (answer["type"], answer["id"]) == ("ok", 2)
        error = await answer_to(hers, '{"type": "history", "type": "nonsense", "id": 3, "room": "harbour"}')
        assert error["type"] == "error"
        await works(hers)


async def test_unknown_fields_are_ignored(connect, room, alice):
    async with connect(alice, "harbour") as hers:
        frame = {"type": "history", "id": 1, "room": "harbour", "x": {"y": [1, None]}, "__proto__": {}, "self": 1}
        assert (await answer_to(hers, json.dumps(frame)))["type"] == "ok"


@pytest.mark.parametrize("id", [0, 2**53 + 1, 2**64, 10**300, "x", "x" * 64, "ключ", "\0", '"'])
async def test_an_id_is_returned_unchanged(connect, room, alice, id):
    async with connect(alice, "harbour") as hers:
        assert (await answer_to(hers, json.dumps({"type": "history", "id": id, "room": "harbour"})))["id"] == id
        assert (await answer_to(hers, json.dumps({"type": "history", "id": id, "room": "nowhere"})))["id"] == id


async def test_an_id_that_cannot_be_encoded_is_left_out(connect, room, alice):
    async with connect(alice, "harbour") as hers:
        error = await answer_to(hers, '{"type": "history", "id": "\\ud800", "room": "harbour"}')
        assert (error["type"], error["code"], error["id"]) == ("error", "invalid", None)
        await works(hers)


# --- anything at all

scalars = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20)
values = st.recursive(scalars, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner))
names = sorted({name for fields in COMMANDS.values() for name in fields} | {"id", "type"})
plausible = st.fixed_dictionaries(
    {"type": st.sampled_from([*COMMANDS, "nonsense"])},
    optional={name: st.sampled_from(WRONG) | values for name in names if name != "type"}
    | {"id": st.integers(0, 9), "room": st.sampled_from(["harbour", "quay", "~" + "a" * 16]) | values},
)
texts = st.text(max_size=50) | (values | plausible).map(json.dumps) | st.just("\x00")


@given(sent=st.lists(texts, min_size=1, max_size=20))
@settings(
    max_examples=60,
    deadline=None,
    print_blob=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
async def test_random_frames_are_answered_or_closed_for(connect, room, alice, sent):
    async with connect(alice) as hers:
        with contextlib.suppress(Closed):
            for text in sent:
                await hers.transport.send(text)
            await hers.transport.send('{"type": "history", "id": "the last one", "room": "harbour"}')
            await hers.wait_until(lambda client: any(frame.get("id") == "the last one" for frame in client.frames))
        assert hers.closed is None or hers.closed.code == 4400
        for frame in hers.frames:
            check_reply(frame)
            assert frame.get("code") != "internal", (frame, sent)


async def test_wrong_frames_before_hello_get_the_same_answers(room, connect, alice):
    for text, code in (("[]", None), ("{", 4400), ('{"type": "join", "id": 1, "room": "harbour"}', None)):
        visit = await asgi_transport.new_client(alice)
        await visit.open()
        await visit.transport.send(text)
        if code:
            assert await visit.wait_closed() == code
        else:
            assert (await visit.wait_for_frame("error"))["code"] in ("invalid", "hello_first")
        await visit.__aexit__(None, None, None)
