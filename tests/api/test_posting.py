"""Messages by one request, as the Node relay and the Angular guide send them; guests by the API; the list of people."""

import pytest
from django.core.management import CommandError, call_command
from django.test import Client

from accounts.models import User
from chat.models import Integration, Membership, Message, Room
from chat.services import integrations, members, rooms
from chat.services.errors import ChatError, RoomNotFound
from tests.api.conftest import Refused, check_answer
from tests.conftest import PASSWORD
from tests.tokens import tokens_of

GUIDE = "/chat/rooms/harbour/user/bob/"


@pytest.fixture
def save(api):
    """`save(token, message=...)`: status and answer of POST /save_message/, as a form unless `json` is given."""

    def ask(token, *, json=False, client=None, **fields):
        client = client or Client(enforce_csrf_checks=True, raise_request_exception=False)
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        body = {"data": fields, **({"content_type": "application/json"} if json else {})}
        answer = client.post("/save_message/", headers=headers, **body)
        assert answer.headers["Content-Type"] == "text/plain"
        return answer.status_code, answer.content.decode()

    return ask


@pytest.fixture
def bridge(room):
    """The token of an integration that is in the harbour."""
    return integrations.create_integration(name="Bridge", rooms=["harbour"])[1]


@pytest.mark.parametrize("json", [False, True])
def test_an_integration_posts_under_the_name_that_it_reports(save, bridge, json):
    assert save(bridge, user_name=" Kai ", message=" hi ", json=json) == (200, "success")
    (stored,) = Message.objects.all()
    assert (stored.alias, stored.body, stored.author.name, stored.author.is_bot) == ("Kai", "hi", "Bridge", True)


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"message": "hi"},
        {"user_name": "Kai"},
        {"user_name": "Kai", "message": ""},
        {"user_name": "Kai", "message": " \n"},
        {"user_name": "", "message": "hi"},
        {"user_name": "\u200b", "message": "hi"},
        {"user_name": "k" * 21, "message": "hi"},
        {"user_name": "Kai", "message": "x" * 4001},
        {"user_name": "Kai", "message": "nul\0"},
        {"user_name": "Kai", "message": "hi", "cid": "7"},
        {"user_name": "Kai", "message": "hi", "room": "x" * 65},
    ],
)
@pytest.mark.parametrize("json", [False, True])
def test_a_refused_message_is_an_error_and_is_not_stored(save, bridge, fields, json):
    assert save(bridge, json=json, **fields) == (400, "error")
    assert not Message.objects.exists()


def test_a_room_limits_the_length_of_posted_messages(save, bridge):
    Room.objects.update(body_chars=140)
    assert save(bridge, user_name="k" * 20, message="x" * 140) == (200, "success")
    assert save(bridge, user_name="Kai", message="x" * 141) == (400, "error")


def test_a_retry_is_published_once(save, bridge):
    for _ in range(2):
        answer = save(bridge, user_name="Kai", message="hi", cid="5f0d2c1e-8a55-4a36-8d53-55b8a8a0cf11")
        assert answer == (200, "success")
    assert Message.objects.count() == 1


def test_an_integration_posts_only_in_its_rooms(save, alice, room, secret):
    _, token = integrations.create_integration(name="Bridge", rooms=["harbour", secret.slug])
    message = {"user_name": "Kai", "message": "hi"}
    assert save(token, **message) == (400, "error")  # in which?
    assert save(token, room="harbour", **message) == (200, "success")
    assert save(token, room=secret.slug, **message) == (200, "success")
    assert save(token, room="lobby", **message) == (404, "error")
    assert not Room.objects.filter(slug="lobby").exists()
    bot = Integration.objects.get().bot
    members.remove_member(slug="harbour", by=alice, user=bot.pk)
    assert save(token, room="harbour", **message) == (404, "error")
    assert save(token, **message) == (200, "success")  # one is left
    members.remove_member(slug=secret.slug, by=alice, user=bot.pk)
    assert save(token, **message) == (404, "error")
    assert Message.objects.count() == 3


def test_the_token_is_stored_as_a_hash_and_can_be_revoked(save, bridge):
    (one,) = Integration.objects.all()
    assert bridge.startswith("parley_")
    assert bridge not in str(one.__dict__)
    integrations.revoke_integration(name="Bridge")
    assert save(bridge, user_name="Kai", message="hi") == (401, "error")
    assert set(Membership.objects.filter(user=one.bot).values_list("state", flat=True)) == {"left"}
    with pytest.raises(ChatError, match="no integration with this name"):
        integrations.revoke_integration(name="Bridge")
    assert integrations.create_integration(name="Bridge", rooms=["harbour"])[1] != bridge


def test_a_removed_bot_cannot_post(save, bridge):
    User.objects.filter(is_bot=True).update(is_active=False)
    assert save(bridge, user_name="Kai", message="hi") == (401, "error")


@pytest.mark.parametrize("token", ["parley_", "parley_x", "x", "a.b.c", ""])
def test_a_wrong_token_is_401(save, room, token):
    assert save(token, user_name="Kai", message="hi") == (401, "error")
    assert not Message.objects.exists()


def test_a_person_posts_under_their_own_name_in_the_default_room(save, room, alice):
    token = tokens_of(alice).access
    assert save(token, user_name="bob", message="hi") == (200, "success")
    assert save(token, user_name="n" * 21, message="there", room="harbour") == (200, "success")
    assert list(Message.objects.values_list("author", "alias", "room__slug")) == [
        (alice.pk, "", "lobby"),
        (alice.pk, "", "harbour"),
    ]


def test_a_cookie_without_a_csrf_token_cannot_post(save, room, alice):
    client = Client(enforce_csrf_checks=True)
    client.login(username="alice", password=PASSWORD)
    assert save("", client=client, message="hi") == (403, "error")
    client.get("/accounts/password/change/")
    headers = {"X-CSRFToken": client.cookies["csrftoken"].value}
    assert client.post("/save_message/", {"message": "hi"}, headers=headers).content == b"success"


@pytest.mark.parametrize("accept", ["text/plain", "text/html", "application/xml"])
def test_the_answer_is_plain_text_whatever_the_client_accepts(bridge, accept):
    headers = {"Authorization": f"Bearer {bridge}", "Accept": accept}
    answer = Client().post("/save_message/", {"user_name": "Kai", "message": "hi"}, headers=headers)
    assert (answer.status_code, answer.content) == (200, b"success")


def test_too_many_posts_are_throttled(save, bridge, settings, monkeypatch):
    monkeypatch.setattr("chat.api.throttle.WriteThrottle.get_rate", lambda _: "1/min")
    answers = [save(bridge, user_name="Kai", message="hi") for _ in range(2)]
    assert answers == [(200, "success"), (429, "error")]


def test_a_get_redirects_to_the_first_page(transactional_db):
    answer = Client().get("/save_message/", headers={"Authorization": "Bearer parley_x"})
    assert (answer.status_code, answer.headers["Location"]) == (302, "/")
    assert Client().put("/save_message/").status_code in (401, 405)


# --- the command


def test_the_command_prints_the_token(save, capsys, transactional_db):
    call_command("integration", "Bridge", "--room", "Lobby", "--room", "quay")
    token = capsys.readouterr().out.strip()
    assert save(token, user_name="Kai", message="hi", room="quay") == (200, "success")
    with pytest.raises(CommandError, match=r"already an integration named Bridge\. Revoke it first\."):
        call_command("integration", "Bridge", room=["lobby"])
    call_command("integration", "Bridge", revoke=True)
    assert save(token, user_name="Kai", message="hi", room="quay") == (401, "error")


@pytest.mark.parametrize(
    ("name", "wanted", "error"),
    [
        ("n" * 21, ["lobby"], "at most 20"),
        (" ", ["lobby"], "others can see"),
        ("Bridge", ["a b/c"], "letters, digits"),
        ("Bridge", ["~AAAAAAAAAAAAAAAA"], "no such room"),
    ],
)
def test_the_command_reports_an_error_and_creates_nothing(transactional_db, name, wanted, error):
    with pytest.raises(CommandError, match=error):
        call_command("integration", name, room=wanted)
    assert not User.objects.exists()


def test_an_integration_cannot_join_a_direct_room(alice, bob):
    pair = rooms.open_direct_room(me=alice, other=bob)
    with pytest.raises(ChatError, match="cannot join a direct conversation"):
        integrations.create_integration(name="Bridge", rooms=[pair.slug])
    with pytest.raises(RoomNotFound):
        integrations.get_only_room(User.objects.create(username="in no room"))


def test_the_first_person_owns_a_room_that_only_a_bot_is_in(alice):
    integrations.create_integration(name="Bridge", rooms=["quay"])
    rooms.join_room(slug="quay", user=alice)
    assert Membership.objects.get(user=alice).role == "owner"


# --- Angular guide


def ask(method, path, user=None, **body):
    headers = {"Authorization": f"Bearer {tokens_of(user).access}"} if user else {}
    content = {"data": body, "content_type": "application/json"} if method == "post" else {}
    return getattr(Client(raise_request_exception=False), method)(path, headers=headers, **content)


def test_the_first_post_creates_the_room(alice, bob):
    answer = ask("post", GUIDE, alice, message="hi", username="bob")
    check_answer("post", GUIDE, answer)
    assert answer.json() == {"username": "Alice Lind", "roomId": "harbour"}
    (stored,) = Message.objects.all()
    assert (stored.author, stored.room.slug) == (alice, "harbour")


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        (GUIDE, {"message": " "}, 400),
        (GUIDE, {}, 400),
        (GUIDE, {"message": "x" * 4001}, 400),
        ("/chat/rooms/a.b/user/bob/", {"message": "hi"}, 400),
        ("/chat/rooms/~AAAAAAAAAAAAAAAA/user/bob/", {"message": "hi"}, 404),
    ],
)
def test_a_wrong_post_of_the_angular_guide_is_refused(alice, path, body, status):
    answer = ask("post", path, alice, **body)
    check_answer("post", path, answer)
    assert answer.status_code == status
    assert not Message.objects.exists()


def test_a_get_of_the_angular_guide_is_405(transactional_db):
    answer = ask("get", GUIDE)
    assert (answer.status_code, answer.json()) == (
        405,
        {"status": "error", "msg": "GET method not supported", "data": {}},
    )


def test_the_token_of_an_integration_is_refused_there(bridge):
    answer = Client().post(GUIDE, {"message": "hi"}, headers={"Authorization": f"Bearer {bridge}"})
    assert answer.status_code == 401


# --- guests


def test_a_name_is_enough_to_be_a_guest_with_tokens(api):
    tokens = api().post("auth/guest/", name=" Ana  Lima ")
    guest = User.objects.get(is_guest=True)
    assert (tokens["username"], guest.name, guest.has_usable_password()) == ("Ana Lima", "Ana Lima", False)
    headers = {"Authorization": f"Bearer {tokens['access_token']}"}
    assert Client().get("/api/rooms/", headers=headers).json() == {"rooms": []}
    renew = {"refresh_token": tokens["refresh_token"]}
    for status in (200, 401):  # it works once
        answer = Client().post("/_allauth/app/v1/tokens/refresh", renew, content_type="application/json")
        assert answer.status_code == status


@pytest.mark.parametrize("name", [None, "", " ", "n" * 21, "\u202egnp", "a\0b", ["Ana"], {}])
def test_a_name_that_is_not_valid_creates_no_guest(api, name):
    with pytest.raises(Refused) as refused:
        api().post("auth/guest/", name=name)
    assert refused.value.status == 400
    assert not User.objects.exists()


def test_guests_can_be_switched_off_and_are_throttled(api, settings):
    for _ in range(60):
        api().post("auth/guest/", name="Ana")
    with pytest.raises(Refused) as refused:
        api().post("auth/guest/", name="Ana")
    assert refused.value.status == 429
    assert Client().post("/guest/", {"name": "Ana"}).status_code == 429  # the same tries
    settings.ALLOW_GUESTS = False
    with pytest.raises(Refused) as refused:
        api().post("auth/guest/", name="Ana")
    assert refused.value.status == 404


# --- people


def test_people_are_listed_and_searched(api, alice, bob):
    User.objects.create_user("guest-1", display_name="Ana", is_guest=True)
    listed = api(alice).get("people/")
    assert [one["name"] for one in listed["people"]] == ["Alice Lind", "Ana", "bob"]
    assert listed["more"] is False
    (found,) = api(alice).get("people/?search=BO")["people"]
    assert found == {"id": bob.pk, "username": "bob", "name": "bob", "guest": False, "presence": "offline"}
    for wrong in ("page=0", "page=x", "page=99999999999999999999"):
        with pytest.raises(Refused):
            api(alice).get(f"people/?{wrong}")


def test_no_direct_room_is_opened_with_a_bot(api, alice):
    integration, _ = integrations.create_integration(name="Bridge", rooms=["harbour"])
    with pytest.raises(Refused, match="There is no user with this username"):
        api(alice).post("rooms/", kind="direct", username=integration.bot.username)
