"""manage.py prune deletes what is expired or unused, and nothing else."""

from datetime import timedelta
from io import StringIO

import pytest
from django.conf import settings
from django.contrib.sessions.models import Session
from django.core.cache import cache
from django.core.management import CommandError, call_command
from django.db import connection
from django.utils import timezone

from accounts.guests import make_guest
from accounts.models import User
from chat.management.commands.prune import DEFAULT_DAYS
from chat.models import Membership, Room
from chat.services import messages, rooms
from ops import expired
from tests.signed_in import session_of

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def cache_table(transactional_db: None) -> None:
    call_command("createcachetable", verbosity=0)
    cache.clear()


def prune(**options: int) -> str:
    out = StringIO()
    call_command("prune", stdout=out, **options)
    return out.getvalue().strip()


NOTHING = "Deleted 0 sessions, 0 cache rows, 0 guests, 0 rooms."


def old(thing: User | Room) -> None:
    then = timezone.now() - timedelta(days=DEFAULT_DAYS, minutes=1)
    thing._meta.default_manager.filter(pk=thing.pk).update(
        **{"date_joined" if isinstance(thing, User) else "created_at": then}
    )


def guest(name: str) -> User:
    made = make_guest(name)
    old(made)
    return made


def test_guests_are_kept_as_long_as_a_session_lasts():
    assert timedelta(days=DEFAULT_DAYS) >= timedelta(seconds=settings.SESSION_COOKIE_AGE)


def test_expired_sessions_are_deleted_in_batches(alice: User, monkeypatch):
    monkeypatch.setattr(expired, "BATCH_SIZE", 2)
    keep = session_of(alice)
    for _ in range(5):
        key = session_of(alice)
        Session.objects.filter(pk=key).update(expire_date=timezone.now() - timedelta(seconds=1))
    assert prune() == "Deleted 5 sessions, 0 cache rows, 0 guests, 0 rooms."
    assert [session.pk for session in Session.objects.all()] == [keep]
    assert prune() == NOTHING


def test_expired_cache_rows_are_deleted():
    cache.set("stays", 1, 60)
    cache.set("for-ever", 1, None)
    cache.set("goes", 1, 60)
    with connection.cursor() as cursor:
        over = connection.ops.adapt_datetimefield_value(timezone.now() - timedelta(seconds=1))
        cursor.execute("UPDATE cache SET expires = %s WHERE cache_key LIKE '%%goes'", [over])
    assert prune() == "Deleted 0 sessions, 1 cache rows, 0 guests, 0 rooms."
    assert cache.get_many(["stays", "for-ever", "goes"]) == {"stays": 1, "for-ever": 1}
    assert prune() == NOTHING


def test_a_guest_without_sessions_and_messages_is_deleted(room: Room, alice: User, bob: User):
    silent, spoke, signed_in, in_private, recent = (*map(guest, ("a", "b", "c", "d")), make_guest("e"))
    old(alice)  # has an account, though no session
    for each in (silent, spoke):
        rooms.join_room(slug=room.slug, user=each)
    messages.post_message(room=room.slug, author=spoke, body="Hello", cid="5f0c2f46-4b39-4b3b-9a53-0a1d5f5c5a11")
    session_of(signed_in)
    rooms.open_direct_room(me=alice, other=in_private)
    head = Room.objects.get(pk=room.pk).head

    assert prune() == "Deleted 0 sessions, 0 cache rows, 1 guests, 0 rooms."
    assert set(User.objects.all()) == {alice, bob, spoke, signed_in, in_private, recent}
    assert Room.objects.get(pk=room.pk).head == head + 1  # its leave was published
    assert prune() == NOTHING


def test_a_room_without_members_and_messages_is_deleted(alice: User, bob: User):
    made = {name: rooms.join_room(slug=name, user=alice) for name in ("left", "spoken-in", "full", "new")}
    messages.post_message(room="spoken-in", author=alice, body="Hello", cid="5f0c2f46-4b39-4b3b-9a53-0a1d5f5c5a11")
    rooms.join_room(slug="full", user=bob)
    for name, room in made.items():
        rooms.leave_room(slug=name, user=alice)
        if name != "new":
            old(room)
    assert prune() == "Deleted 0 sessions, 0 cache rows, 0 guests, 1 rooms."
    assert set(Room.objects.values_list("slug", flat=True)) == {"spoken-in", "full", "new"}
    assert prune() == NOTHING


async def test_a_deleted_room_can_be_created_again_by_a_client_that_knew_it(connect, alice: User):
    from asgiref.sync import sync_to_async

    def forget() -> str:
        old(Room.objects.get(slug="quiet"))
        return prune()

    async with connect(alice, "quiet") as hers:
        await hers.request("leave", room="quiet")
    assert (await sync_to_async(forget)()).endswith("1 rooms.")
    async with connect(alice, "quiet") as hers:
        await hers.post("quiet", "Hello")
        await hers.wait_for_message("quiet", "Hello")
    count = await sync_to_async(Membership.objects.count)()
    assert count == 1


def test_days_are_at_least_one():
    with pytest.raises(CommandError, match="1 or more"):
        prune(days=0)
