"""Messages over HTTP: the same texts, JSON and refusals as over the socket."""

from uuid import uuid4

import pytest
from asgiref.sync import sync_to_async

from chat.models import Message
from tests.api.conftest import Refused
from tests.chat_client import Refused as RefusedOnSocket

POST = "rooms/harbour/messages/"
CID = "0b54e1c5-6d0c-4d5c-9a48-3f3d3c1f2a11"


def say(api, body, **fields):
    return api.post(POST, body=body, cid=str(uuid4()), **fields)


def test_a_message_is_posted(api, room, alice):
    hers = api(alice)
    message = say(hers, " Hello\r\n")
    assert hers.status == 201
    assert (message["body"], message["author"]["name"], message["edited"]) == ("Hello", "Alice Lind", False)
    assert message["at"].endswith("Z")


def test_the_same_cid_again_is_the_same_message(api, room, alice):
    hers, cid = api(alice), str(uuid4())
    first = hers.post(POST, body="Once", cid=cid)
    again = hers.post(POST, body="Once", cid=cid)
    assert (hers.status, first) == (200, again)
    assert Message.objects.count() == 1


def test_a_message_is_edited_and_deleted(api, room, alice):
    hers = api(alice)
    message = say(hers, "Helo")
    edited = hers.patch(f"messages/{message['id']}/", body="Hello", rev=message["rev"])
    assert (edited["body"], edited["edited"], edited["rev"]) == ("Hello", True, message["rev"] + 1)
    with pytest.raises(Refused) as refused:
        hers.patch(f"messages/{message['id']}/", body="Hallo", rev=message["rev"])
    assert (refused.value.status, refused.value.code) == (409, "conflict")
    deleted = hers.delete(f"messages/{message['id']}/")
    assert (deleted["body"], deleted["deleted"]) == ("", True)
    assert hers.delete(f"messages/{message['id']}/") == deleted


def test_a_message_is_answered(api, room, alice, bob):
    question = say(api(alice), "Lunch?")
    assert say(api(bob), "Yes", reply_to=question["id"])["reply_to"] == question["id"]
    assert say(api(bob), "No", reply_to=None)["reply_to"] is None
    with pytest.raises(Refused, match="bad_message"):
        say(api(bob), "What?", reply_to=2**53 - 1)


def test_messages_are_read_in_pages(api, room, alice):
    hers = api(alice)
    seqs = [say(hers, body)["seq"] for body in "abcde"]

    def bodies(query):
        page = hers.get(POST + query)
        return "".join(event["message"]["body"] for event in page["events"]), page["more"]

    assert bodies("") == ("abcde", False)
    assert bodies("?limit=2") == ("de", True)
    assert bodies(f"?before={seqs[3]}&limit=2") == ("bc", True)
    assert bodies(f"?after={seqs[2]}&limit=2") == ("de", False)
    with pytest.raises(Refused, match="invalid"):
        bodies("?before=9&after=1")
    for query in ("?limit=0", "?limit=101", "?before=-1", "?after=x", "?limit=1.5", f"?before={2**53}"):
        with pytest.raises(Refused, match="invalid"):
            bodies(query)


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"cid": "x", "body": "x"}, "invalid"),
        ({"body": "x"}, "invalid"),
        ({"cid": CID}, "invalid"),
        ({"cid": None, "body": "x"}, "invalid"),
        ({"cid": CID, "body": ""}, "invalid"),
        ({"cid": CID, "body": None}, "invalid"),
        ({"cid": CID, "body": " \n"}, "bad_message"),
        ({"cid": CID, "body": "x" * 4001}, "bad_message"),
        ({"cid": CID, "body": "a\0b"}, "invalid"),
        ({"cid": CID, "body": "\ud800"}, "invalid"),
        ({"cid": CID, "body": ["x"]}, "invalid"),
        ({"cid": CID, "body": True}, "invalid"),
        ({"cid": CID, "body": "x", "reply_to": 0}, "invalid"),
        ({"cid": CID, "body": "x", "reply_to": 2**53}, "invalid"),
        ({"cid": CID, "body": "x", "reply_to": "x"}, "invalid"),
    ],
    ids=lambda value: ascii(value)[:70],
)
def test_a_wrong_message_is_refused(api, room, alice, body, code):
    with pytest.raises(Refused) as refused:
        api(alice).post(POST, **body)
    assert (refused.value.status, refused.value.code) == (400, code)
    assert not Message.objects.exists()


def test_a_message_can_have_4000_astral_characters(api, room, alice):
    assert say(api(alice), "😀" * 4000)["body"] == "😀" * 4000


@pytest.mark.parametrize("number", ["0", "1", "9" * 18, "9" * 30, "9" * 400])
def test_absent_messages_are_404(api, alice, number):
    for call in (lambda a: a.delete(f"messages/{number}/"), lambda a: a.patch(f"messages/{number}/", body="x", rev=1)):
        with pytest.raises(Refused, match="not_found"):
            call(api(alice))


async def test_a_message_has_the_same_json_over_http_and_over_the_socket(connect, api, room, alice, bob):
    hers = await sync_to_async(api)(alice)
    async with connect(bob, "harbour") as his:
        posted = await sync_to_async(say)(hers, "By post")
        assert await his.wait_for_message("harbour", "By post") == posted
        edited = await sync_to_async(hers.patch)(f"messages/{posted['id']}/", body="By wire", rev=posted["rev"])
        assert await his.wait_for_message("harbour", "By wire") == edited
        page = await his.request("history", room="harbour")
        assert (await sync_to_async(hers.get)(POST)) == {"events": page["events"], "more": page["more"]}
        posted = (await his.post("harbour", "By voice"))["message"]
        assert (await sync_to_async(hers.get)(POST))["events"][-1]["message"] == posted


async def test_a_cid_is_one_message_over_both_transports(connect, api, room, alice):
    cid, hers = str(uuid4()), await sync_to_async(api)(alice)
    async with connect(alice, "harbour") as tab_of_hers:
        over_socket = await tab_of_hers.post("harbour", "Once", cid)
        assert await sync_to_async(hers.post)(POST, body="Once", cid=cid) == over_socket["message"]
        assert hers.status == 200
    assert await Message.objects.acount() == 1


async def test_refusals_have_the_same_code_and_text_over_both_transports(connect, api, room, secret, alice, bob):
    his = await sync_to_async(api)(bob)
    hers = await sync_to_async(api)(alice)
    message = await sync_to_async(say)(hers, "mine")
    async with connect(bob) as his_tab:
        for command, request in (
            ({"type": "edit", "message": message["id"], "body": "x", "rev": 1}, ("patch", {"body": "x", "rev": 1})),
            ({"type": "delete", "message": message["id"]}, ("delete", None)),
        ):
            with pytest.raises(RefusedOnSocket) as on_socket:
                await his_tab.request(**command)
            with pytest.raises(Refused) as over_http:
                await sync_to_async(his)(request[0], f"messages/{message['id']}/", request[1])
            assert (over_http.value.code, over_http.value.error["text"]) == (
                on_socket.value.code,
                on_socket.value.frame["text"],
            )
