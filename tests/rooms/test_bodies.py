"""Which bodies a message can have, and how they are stored."""

import json
from uuid import uuid4

import pytest

from chat.models import Message
from tests.chat_client import Refused


@pytest.mark.parametrize(
    "body",
    [
        "x",
        "x" * 4000,
        "\U0001f600" * 4000,  # astral: two UTF-16 units each, one character
        "👩‍👩‍👧‍👦 e\u0301 \u1e0b\u0323",  # joined and combined, not normalised
        "\u202eabc\u202c שלום سلام",  # right to left
        "two\nlines\n\n\tindented",
        "<script>alert(1)</script> & \"quotes' \\ / \u2028\u2029.",
        "\x01\x1b[31m\x7f\x85\ufeff.",
        "'; DROP TABLE chat_message; --",
        "%s %(name)s {0} {{x}} {% load %}",
    ],
    ids=["one", "4000", "astral", "joined", "rtl", "lines", "markup", "controls", "sql", "formats"],
)
async def test_a_body_arrives_unchanged(connect, room, alice, bob, body):
    async with connect(alice, "harbour") as hers, connect(bob, "harbour") as his:
        assert (await hers.post("harbour", body))["message"]["body"] == body
        await his.wait_for_message("harbour", body)
        assert (await his.request("history", room="harbour"))["events"][0]["message"]["body"] == body


async def test_surrounding_white_space_and_other_line_ends_are_not_stored(connect, room, alice):
    async with connect(alice, "harbour") as hers:
        posted = (await hers.post("harbour", " \r\n\u00a0one\r\ntwo\rthree \u3000\n"))["message"]
        assert posted["body"] == "one\ntwo\nthree"
        edited = (await hers.request("edit", message=posted["id"], body="\tfour\r\n", rev=posted["rev"]))["message"]
        assert edited["body"] == "four"


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ('""', "invalid"),
        (json.dumps("x" * 4001), "invalid"),
        (json.dumps("\U0001f600" * 4001, ensure_ascii=False), "invalid"),
        ('" \\n\\t\\u3000"', "bad_message"),
        ('"a\\u0000b"', "bad_message"),
        ('"half a pair \\ud83d"', "invalid"),
        ('"\\ude00 the other half"', "invalid"),
        ('"\\ude00\\ud83d"', "invalid"),
    ],
    ids=["empty", "4001", "4001 astral", "blank", "nul", "high half", "low half", "reversed"],
)
async def test_a_body_that_is_no_text_is_refused_and_the_socket_stays_open(connect, room, alice, body, code):
    async with connect(alice, "harbour") as hers:
        posted = (await hers.post("harbour", "before"))["message"]
        for number, command in enumerate(
            (
                f'"type": "send", "room": "harbour", "cid": "{uuid4()}"',
                f'"type": "edit", "message": {posted["id"]}, "rev": {posted["rev"]}',
            ),
            500,
        ):
            await hers.transport.send(f'{{{command}, "id": {number}, "body": {body}}}')
            error = await hers.wait_until(
                lambda client, n=number: next((f for f in client.frames if f.get("id") == n), None)
            )
            assert (error["type"], error["code"]) == ("error", code)
        await hers.post("harbour", "after")
    assert [m.body async for m in Message.objects.order_by("seq")] == ["before", "after"]


async def test_an_escaped_surrogate_pair_is_one_character(connect, room, alice):
    async with connect(alice, "harbour") as hers:
        await hers.transport.send(
            f'{{"type": "send", "id": 7, "room": "harbour", "cid": "{uuid4()}", "body": "\\ud83d\\ude00"}}'
        )
        assert (await hers.wait_for_message("harbour", "😀"))["seq"]


async def test_only_the_author_can_change_a_message(connect, room, alice, bob):
    async with connect(alice, "harbour") as hers, connect(bob, "harbour") as his:
        posted = (await hers.post("harbour", "mine"))["message"]
        for command in ({"type": "edit", "body": "yours", "rev": posted["rev"]}, {"type": "delete"}):
            with pytest.raises(Refused) as refused:
                await his.request(message=posted["id"], **command)
            assert refused.value.code == "not_found"
    assert (await Message.objects.aget()).body == "mine"
