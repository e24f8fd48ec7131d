"""Rooms over HTTP."""

import pytest

from chat.models import Room
from tests.api.conftest import Refused


def test_a_room_is_created_or_joined_by_its_name(api, alice, bob):
    hers, his = api(alice), api(bob)
    made = hers.post("rooms/", name="The Old Harbour")
    assert made == {"slug": "the-old-harbour", "title": "the-old-harbour", "topic": "", "kind": "open", "body": 4000}
    assert his.post("rooms/", kind="open", name="#the old harbour") == made
    assert Room.objects.get().members.count() == 2


def test_a_private_room_is_created_by_its_title(api, alice, bob):
    made = api(alice).post("rooms/", kind="private", title=" Crew  only ", topic="psst")
    assert (made["title"], made["topic"], made["kind"], made["slug"][0]) == ("Crew only", "psst", "private", "~")
    with pytest.raises(Refused, match="not_found"):
        api(bob).get(f"rooms/{made['slug']}/")


def test_a_direct_room_is_opened_by_a_username(api, alice, bob):
    made = api(alice).post("rooms/", kind="direct", username="bob")
    assert (made["kind"], made["title"]) == ("direct", "bob")
    assert api(bob).post("rooms/", kind="direct", username="alice") == made | {"title": "Alice Lind"}
    assert api(bob).post(f"rooms/{made['slug']}/join/") == made | {"title": "Alice Lind"}
    assert api(bob).get(f"rooms/{made['slug']}/") == made | {"title": "Alice Lind"}


@pytest.mark.parametrize(
    ("body", "status", "code", "about"),
    [
        ({}, 400, "invalid", "name"),
        ({"kind": "open"}, 400, "invalid", "name"),
        ({"kind": "private"}, 400, "invalid", "title"),
        ({"kind": "direct"}, 400, "invalid", "username"),
        ({"kind": "public", "name": "x"}, 400, "invalid", "kind"),
        ({"name": "x" * 65}, 400, "invalid", "name"),
        ({"name": "no/slash"}, 400, "bad_name", ""),
        ({"kind": "private", "title": "x" * 81}, 400, "invalid", "title"),
        ({"kind": "private", "title": "\u3000"}, 400, "invalid", "title"),
        ({"kind": "private", "title": "x", "topic": "x" * 251}, 400, "invalid", "topic"),
        ({"kind": "direct", "username": "nobody"}, 404, "not_found", ""),
        ({"kind": "direct", "username": "alice"}, 400, "invalid", ""),
    ],
)
def test_a_room_that_cannot_be_created_is_refused(api, alice, body, status, code, about):
    with pytest.raises(Refused) as refused:
        api(alice).post("rooms/", **body)
    assert (refused.value.status, refused.value.code) == (status, code)
    assert refused.value.error["text"].startswith(about)
    assert not Room.objects.exists()


def test_no_direct_room_is_opened_with_a_deactivated_user(api, alice, bob):
    bob.is_active = False
    bob.save()
    with pytest.raises(Refused, match="not_found"):
        api(alice).post("rooms/", kind="direct", username="bob")


def test_my_rooms_are_listed(api, room, secret, alice, bob):
    hers, his = api(alice), api(bob)
    hers.post("rooms/harbour/messages/", cid="0b54e1c5-6d0c-4d5c-9a48-3f3d3c1f2a11", body="hi")
    listed = his.get("rooms/")["rooms"]
    assert [(room["slug"], room["unread"]) for room in listed] == [("harbour", 1), (secret.slug, 0)]
    assert listed[0] == {"slug": "harbour", "title": "harbour", "kind": "open", "topic": "", "unread": 1, "head": 3}


def test_a_room_can_be_joined_shown_and_left(api, room, mallory):
    theirs = api(mallory)
    with pytest.raises(Refused, match="not_found"):
        theirs.get("rooms/harbour/")
    joined = theirs.post("rooms/harbour/join/")
    assert theirs.get("rooms/harbour/") == joined
    assert theirs.post("rooms/harbour/leave/") is None
    assert theirs.status == 204
    with pytest.raises(Refused, match="not_found"):
        theirs.post("rooms/harbour/leave/")


def test_the_owner_changes_title_and_topic(api, room, alice, bob):
    assert api(alice).patch("rooms/harbour/", title="Harbour", topic="tides")["title"] == "Harbour"
    assert api(alice).patch("rooms/harbour/", title="")["topic"] == "tides"
    assert api(alice).patch("rooms/harbour/")["title"] == "harbour"
    with pytest.raises(Refused, match="not_found"):
        api(bob).patch("rooms/harbour/", title="Mine")


def test_a_member_is_added_to_a_private_room(api, secret, alice, mallory):
    member = api(alice).post(f"rooms/{secret.slug}/members/", username="mallory")
    assert member == {
        "user": {"id": mallory.pk, "name": "mallory", "guest": False},
        "role": "member",
        "state": "joined",
    }
    assert api(mallory).get(f"rooms/{secret.slug}/")["title"] == "Crew only"
    with pytest.raises(Refused, match="not_found"):
        api(alice).post(f"rooms/{secret.slug}/members/", username="nobody")


def test_messages_are_marked_as_read(api, room, alice, bob):
    for number in "12":
        api(alice).post("rooms/harbour/messages/", cid=f"0b54e1c5-6d0c-4d5c-9a48-3f3d3c1f2a1{number}", body="hi")
    assert api(bob).post("rooms/harbour/read/", seq=3) == {"unread": 1}
    assert api(bob).post("rooms/harbour/read/", seq=2) == {"unread": 1}
    assert api(bob).post("rooms/harbour/read/", seq=99) == {"unread": 0}
