"""Answering a message."""

import pytest
from asgiref.sync import sync_to_async

from chat.models import Message
from chat.services import rooms
from tests.chat_client import Refused


async def test_an_answer_names_the_message_it_answers(connect, room, alice, bob):
    async with connect(alice, "harbour") as hers, connect(bob, "harbour") as his:
        question = (await hers.post("harbour", "Lunch?"))["message"]
        answer = (await his.post("harbour", "Yes", reply_to=question["id"]))["message"]
        assert (question["reply_to"], answer["reply_to"]) == (None, question["id"])
        assert (await hers.wait_for_message("harbour", "Yes"))["reply_to"] == question["id"]


async def test_a_deleted_message_can_still_be_answered(connect, room, alice, bob):
    async with connect(alice, "harbour") as hers, connect(bob, "harbour") as his:
        question = (await hers.post("harbour", "Lunch?"))["message"]
        await hers.request("delete", message=question["id"])
        assert (await his.post("harbour", "Yes", reply_to=question["id"]))["message"]["reply_to"] == question["id"]


async def test_absent_messages_and_those_of_other_rooms_get_the_same_refusal(
    connect, room, secret, alice, bob, mallory
):
    await sync_to_async(rooms.join_room)(slug="harbour", user=mallory)
    async with connect(alice, secret.slug, "quay") as hers, connect(mallory, "harbour") as theirs:
        hidden = (await hers.post(secret.slug, "psst"))["message"]["id"]
        other = (await hers.post("quay", "hi"))["message"]["id"]
        answers = set()
        for question in (hidden, other, 2**53 - 1):
            with pytest.raises(Refused) as refused:
                await theirs.post("harbour", "And?", reply_to=question)
            answers.add((refused.value.code, refused.value.frame["text"]))
        assert len(answers) == 1
        assert answers.pop()[0] == "bad_message"
    assert not await Message.objects.filter(author=mallory).aexists()
