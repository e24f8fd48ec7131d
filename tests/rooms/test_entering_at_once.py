"""Two tabs of one user that join a room at the same time join it once."""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

from django.db import connection

from chat.models import Membership, Room
from chat.services import rooms

TABS = 8


def enter_from_all_tabs(slug, user):
    together = Barrier(TABS)

    def enter(_: int) -> None:
        together.wait()
        rooms.join_room(slug=slug, user=user)
        connection.close()

    with ThreadPoolExecutor(TABS) as tabs:
        list(tabs.map(enter, range(TABS)))


def test_joining_from_many_tabs_at_once_is_one_change(alice, bob):
    rooms.join_room(slug="harbour", user=alice)
    enter_from_all_tabs("harbour", bob)
    assert Room.objects.get(slug="harbour").head == 2  # alice's coming and bob's
    assert Membership.objects.filter(room__slug="harbour").count() == 2


def test_a_new_room_joined_from_many_tabs_at_once_is_created_once(alice):
    enter_from_all_tabs("brand-new", alice)
    room = Room.objects.get(slug="brand-new")
    assert room.head == 1
    assert room.memberships.get().role == "owner"
