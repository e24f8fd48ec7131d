"""manage.py load_people creates guests for a load test, and deletes them without a trace."""

import json
from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from accounts.models import User
from accounts.sessions import get_session_users
from chat.models import Message, Room
from chat.services import messages, rooms

pytestmark = pytest.mark.django_db


def command(*arguments: str) -> str:
    output = StringIO()
    call_command("load_people", *arguments, stdout=output)
    return output.getvalue()


def test_the_guests_are_signed_in_and_in_their_rooms():
    made = json.loads(command("6", "--rooms", "3", "--rooms-each", "2"))
    assert made["rooms"] == ["load-0000", "load-0001", "load-0002"]
    people = get_session_users(made["cookies"])
    assert len({user.pk for user in people if user}) == 6
    assert [room.slug for room in people[1].rooms.order_by("slug")] == ["load-0000", "load-0002"]
    assert all(user.is_guest and not user.has_usable_password() for user in people)


def test_removing_the_guests_leaves_nothing(bob: User, room: Room):
    made = json.loads(command("3", "--rooms", "2"))
    speaker = get_session_users(made["cookies"])[0]
    for slug in ("load-0000", "load-0001"):
        rooms.join_room(slug=slug, user=speaker)
        messages.post_message(room=slug, author=speaker, body="Hello", cid=uuid())
    rooms.join_room(slug="load-0001", user=bob)  # a real user was there
    assert command("--remove") == "Deleted 1 rooms and 2 people.\n"
    assert set(Room.objects.values_list("slug", flat=True)) == {"harbour", "load-0001"}
    assert Message.objects.count() == 1
    assert set(User.objects.filter(username__startswith="guest-load-")) == {speaker}


@pytest.mark.parametrize("arguments", [(), ("0",), ("3", "--rooms", "2", "--rooms-each", "3")])
def test_wrong_arguments_are_refused(arguments: tuple[str, ...]):
    with pytest.raises(CommandError, match="at least 1"):
        command(*arguments)


def uuid():
    from uuid import uuid4

    return uuid4()
