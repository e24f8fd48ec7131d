"""Several requests of one user that join a room at the same time join it once."""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

from django.db import connection

from chat.models import Membership, Room
from chat.services import rooms

REQUESTS = 8


def join_at_once(slug, user):
    together = Barrier(REQUESTS)

    def enter(_: int) -> None:
        together.wait()
        rooms.join_room(slug=slug, user=user)
        connection.close()

    with ThreadPoolExecutor(REQUESTS) as pool:
        list(pool.map(enter, range(REQUESTS)))


def test_simultaneous_joins_of_one_user_are_one_change(alice, bob):
    rooms.join_room(slug="harbour", user=alice)
    join_at_once("harbour", bob)
    assert Room.objects.get(slug="harbour").head == 2  # the joins of alice and bob
    assert Membership.objects.filter(room__slug="harbour").count() == 2


def test_a_new_room_joined_from_many_tabs_at_once_is_created_once(alice):
    join_at_once("brand-new", alice)
    room = Room.objects.get(slug="brand-new")
    assert room.head == 1
    assert room.memberships.get().role == "owner"
