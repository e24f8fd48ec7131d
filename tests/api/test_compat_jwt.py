"""Sign-in with tokens, contacts and conversations, as the JWT + React chat has them."""

import pytest
from django.test import Client

from accounts.models import User
from chat.models import Message, Room
from chat.services import messages, rooms
from tests.api.conftest import Refused, check_answer
from tests.conftest import PASSWORD

CID = "5f0d2c1e-8a55-4a36-8d53-55b8a8a0cf11"


@pytest.fixture
def door(api):
    """`door("login", username=..., ...)`: the status and the answer."""

    def call(which, *, headers=None, **body):
        client = Client(enforce_csrf_checks=True, raise_request_exception=False)
        path = f"/api/auth/{which}/"
        answer = client.post(path, body, content_type="application/json", headers=headers or {})
        check_answer("post", path, answer)
        assert not answer.cookies  # a token is the whole of it
        return answer.status_code, answer.json()

    return call


def rooms_of(token):
    return Client().get("/api/rooms/", headers={"Authorization": f"Bearer {token}"}).status_code


# --- the doors


def test_registering_returns_tokens_that_work(door):
    status, answer = door("register", username="carol", password=PASSWORD, email="carol@example.com")
    assert (status, answer["username"], rooms_of(answer["access_token"])) == (201, "carol", 200)
    assert User.objects.get(username="carol").email == "carol@example.com"


@pytest.mark.parametrize("extra", [{}, {"email": ""}, {"is_staff": True, "is_superuser": True, "is_guest": True}])
def test_registering_needs_only_a_name_and_a_password_and_grants_no_permissions(door, extra):
    assert door("register", username="carol", password=PASSWORD, **extra)[0] == 201
    carol = User.objects.get(username="carol")
    assert (carol.is_staff, carol.is_superuser, carol.is_guest) == (False, False, False)


@pytest.mark.parametrize(
    "wish",
    [
        {},
        {"username": "carol"},
        {"username": "carol", "password": "short"},
        {"username": "carol", "password": "12345678901234"},
        {"username": "carol", "password": PASSWORD, "email": "not one"},
        {"username": "carol\0", "password": PASSWORD},
        {"username": "carol", "password": "\ud800" * 20},
        {"username": "c" * 151, "password": PASSWORD},
        {"username": "guest-1234567890abcdef", "password": PASSWORD},
        {"username": ["carol"], "password": PASSWORD},
        {"username": "alice", "password": PASSWORD},
        {"username": "Alice", "password": PASSWORD},
        {"username": "carol", "password": PASSWORD, "email": "alice@example.com"},
    ],
)
def test_a_refused_registration_has_a_reason(door, alice, wish):
    status, answer = door("register", **wish)
    assert (status, answer["error"]["code"]) == (400, "invalid")
    assert User.objects.count() == 1


def test_logging_in_returns_tokens_that_work(door, alice):
    status, answer = door("login", username="alice", password=PASSWORD)
    assert (status, answer["username"], rooms_of(answer["access_token"])) == (200, "alice", 200)
    refreshed = Client().post(
        "/_allauth/app/v1/tokens/refresh", {"refresh_token": answer["refresh_token"]}, content_type="application/json"
    )
    assert rooms_of(refreshed.json()["data"]["access_token"]) == 200


@pytest.mark.parametrize(("name", "password"), [("alice", "wrong"), ("nobody", PASSWORD), ("nobody", "wrong")])
def test_wrong_credentials_are_401_with_one_answer_for_all(door, alice, name, password):
    assert door("login", username=name, password=password) == (401, {"error": "Invalid credentials"})


def test_a_deactivated_user_cannot_log_in(door, alice):
    User.objects.update(is_active=False)
    assert door("login", username="alice", password=PASSWORD) == (401, {"error": "Invalid credentials"})


@pytest.mark.parametrize("which", ["login", "register"])
def test_a_login_with_an_old_token_in_its_header_succeeds(door, alice, which):
    _, old = door("login", username="alice", password=PASSWORD)
    for token in (old["access_token"], "a.b.c"):
        headers = {"Authorization": f"Bearer {token}"}
        name = {"login": "alice", "register": "c" + token[-4:]}[which]
        status, answer = door(which, username=name, password=PASSWORD, headers=headers)
        assert (status < 300, answer["username"]) == (True, name)


@pytest.mark.parametrize("name", ["alice", "nobody"])
def test_logins_are_throttled_together_with_the_sites_page(door, alice, name):
    answer = [door("login", username=name, password="wrong")[0] for _ in range(7)]
    assert answer == [401] * 5 + [429] * 2
    assert door("login", username="alice", password=PASSWORD)[0] == (429 if name == "alice" else 200)


def test_registrations_are_throttled_together_with_the_sites_page(door):
    answer = [door("register", username=f"carol{n}", password=PASSWORD)[0] for n in range(21)]
    assert answer == [201] * 20 + [429]


@pytest.mark.parametrize("body", [b"{", b"[]", b'"x"', b'{"a":' * 20_000, b"\xff", b'{"username":"\\ud800"}'])
@pytest.mark.parametrize("which", ["login", "register"])
def test_a_wrong_body_is_400(transactional_db, which, body):
    answer = Client().post(f"/api/auth/{which}/", body, content_type="application/json")
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "invalid")


# --- conversations of two


@pytest.fixture
def theirs(alice, bob):
    return rooms.open_direct_room(me=alice, other=bob).slug


def test_two_people_have_one_conversation_whichever_of_them_creates_it(api, alice, bob):
    hers, his = api(alice), api(bob)
    chat = hers.post("chats/", participants=["bob"])
    assert (hers.status, chat["participants"], chat["contact"]["username"]) == (201, ["alice", "bob"], "bob")
    for again in (["bob"], ["alice", "bob"], ["bob", "alice"]):
        assert hers.post("chats/", participants=again) == chat
        assert hers.status == 200
    assert his.post("chats/", participants=["alice"])["id"] == chat["id"]
    assert his.status == 200
    assert Room.objects.filter(kind="direct").count() == 1
    assert [one["id"] for one in his.get("chats/")] == [chat["id"]]


@pytest.mark.parametrize("participants", [[], ["alice"], ["alice", "alice"]])
def test_a_conversation_with_oneself_is_refused(api, alice, participants):
    with pytest.raises(Refused) as refused:
        api(alice).post("chats/", participants=participants)
    assert (refused.value.status, "two people" in refused.value.error["text"]) == (400, True)
    assert not Room.objects.exists()


def test_a_conversation_of_two_other_people_cannot_be_created(api, alice, bob, mallory):
    with pytest.raises(Refused) as refused:
        api(mallory).post("chats/", participants=["alice", "bob"])
    assert refused.value.status == 400
    with pytest.raises(Refused) as refused:
        api(mallory).post("chats/", participants=["nobody"])
    assert refused.value.status == 404
    assert not Room.objects.exists()


def test_contacts_are_the_people_with_whom_i_have_a_conversation(api, alice, bob, mallory, theirs):
    contact = {"username": "alice", "name": "Alice Lind", "guest": False, "chat": theirs}
    assert api(bob).get("contacts/") == [contact]
    assert api(mallory).get("contacts/") == []
    hers = [api(alice).post("chats/", participants=["mallory"])["contact"]["username"]]
    assert [one["username"] for one in api(alice).get("contacts/")] == ["bob", *hers]


def test_other_rooms_are_not_listed_as_conversations(api, alice, bob, room, secret):
    assert api(alice).get("chats/") == []
    for slug in (room.slug, secret.slug):
        for method in ("get", "put", "patch", "delete"):
            with pytest.raises(Refused) as refused:
                api(alice)(method, f"chats/{slug}/", {})
            assert refused.value.status == 404


def test_its_two_people_can_read_a_conversation(api, alice, bob, theirs):
    for number in range(3):
        messages.post_message(room=theirs, author=bob, body="hi", cid=CID.replace("11", f"2{number}"))
    shown = api(alice).get(f"chats/{theirs}/")
    assert (shown["id"], shown["unread"], shown["contact"]["name"]) == (theirs, 3, "bob")
    head = shown["head"]
    assert api(alice)("put", f"chats/{theirs}/", {"participants": ["bob", "alice"], "read": head - 1})["unread"] == 1
    assert api(alice).patch(f"chats/{theirs}/", read=head)["unread"] == 0
    assert api(alice).get("chats/")[0]["unread"] == 0
    assert api(bob).get(f"chats/{theirs}/")["unread"] == 0


@pytest.mark.parametrize("participants", [["alice", "mallory"], ["bob"], [], ["alice", "alice"]])
def test_the_participants_cannot_be_changed(api, alice, bob, mallory, theirs, participants):
    with pytest.raises(Refused) as refused:
        api(alice)("put", f"chats/{theirs}/", {"participants": participants})
    assert refused.value.status == 400
    assert api(mallory).get("chats/") == []


def test_deleting_a_conversation_ends_it_for_both_and_creating_it_again_restores_its_messages(api, alice, bob, theirs):
    messages.post_message(room=theirs, author=bob, body="hi", cid=CID)
    api(alice).delete(f"chats/{theirs}/")
    for user in (alice, bob):
        assert api(user).get("chats/") == []
        for method in ("get", "put", "delete"):
            with pytest.raises(Refused) as refused:
                api(user)(method, f"chats/{theirs}/", {})
            assert refused.value.status == 404
        with pytest.raises(Refused):
            api(user).get(f"rooms/{theirs}/messages/")
    assert Message.objects.count() == 1
    his = api(bob)
    assert his.post("chats/", participants=["alice"])["id"] == theirs
    assert his.status == 201
    for user in (alice, bob):
        (event,) = api(user).get(f"rooms/{theirs}/messages/")["events"]
        assert event["message"]["body"] == "hi"


@pytest.mark.parametrize("method", ["get", "put", "patch", "delete"])
def test_absent_and_forbidden_conversations_get_the_same_answer(api, alice, bob, mallory, theirs, method):
    answers = []
    for slug in (theirs, "~AAAAAAAAAAAAAAAA", "x\0", "x" * 200):
        with pytest.raises(Refused) as refused:
            api(mallory)(method, f"chats/{slug}/", {"participants": ["alice", "mallory"]})
        answers.append((refused.value.status, refused.value.error))
    assert {status for status, _ in answers} == {404}
    assert all(error == answers[0][1] for _, error in answers)
    assert api(alice).get("chats/")[0]["id"] == theirs


@pytest.mark.parametrize(("method", "path"), [("get", "chats/"), ("post", "chats/"), ("get", "contacts/")])
def test_without_a_token_conversations_are_401(api, method, path):
    with pytest.raises(Refused) as refused:
        api()(method, path, {"participants": ["alice"]})
    assert refused.value.status == 401
