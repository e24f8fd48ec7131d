"""After any order of changes, every client shows what a new one does."""

import asyncio
import contextlib
from typing import ClassVar
from uuid import uuid4

import pytest
from django.db import connection
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule, run_state_machine_as_test

from accounts.models import User
from chat.models import Message, Room
from chat.services import messages, rooms
from chat.services.errors import RoomNotFound
from tests.clock import quiet, turns
from tests.rooms.two_processes import Device, World

devices = st.integers(0, 2)
processes = st.integers(0, 1)
places = st.integers(0, 30)  # of a thing in a list, counted around


class Harbour(RuleBasedStateMachine):
    """alice on two devices and bob on one, in a room; carol comes and goes; gunicorn writes, too."""

    patch: ClassVar[pytest.MonkeyPatch]

    def __init__(self) -> None:
        super().__init__()
        self.context = self.patch.context()
        self.world = World(self.context.__enter__())
        name = uuid4().hex[:8]
        self.alice, self.bob, self.carol = [User.objects.create(username=f"{who}-{name}") for who in "abc"]
        self.room = rooms.join_room(slug=name, user=self.alice)
        rooms.join_room(slug=name, user=self.bob)
        self.devices = [Device(self.world, user, name) for user in (self.alice, self.alice, self.bob)]

    # --- people

    @rule(who=devices, process=processes)
    def come_back(self, who: int, process: int) -> None:
        if not self.devices[who].online:
            self.devices[who].connect(process)

    @rule(who=devices)
    def lose_the_line(self, who: int) -> None:
        self.devices[who].cut()

    @rule(who=devices, body=st.sampled_from(["ahoy", "aye", "⚓"]))
    def post(self, who: int, body: str) -> None:
        if self.devices[who].online:
            self.devices[who].send_command("send", room=self.room.slug, cid=str(uuid4()), body=body)

    @rule(who=devices, place=places, body=st.sampled_from(["belay", "avast"]))
    def edit(self, who: int, place: int, body: str) -> None:
        if self.devices[who].online and (mine := self.devices[who].mine):
            message = mine[place % len(mine)]
            self.devices[who].send_command("edit", message=message["id"], body=body, rev=message["rev"])

    @rule(who=devices, place=places)
    def delete(self, who: int, place: int) -> None:
        if self.devices[who].online and (mine := self.devices[who].mine):
            self.devices[who].send_command("delete", message=mine[place % len(mine)]["id"])

    @rule(who=devices)
    def scroll(self, who: int) -> None:
        device = self.devices[who]
        if device.online and device.known and device.known[self.room.slug].start and not device.page.scrolling:
            device.scroll()

    @rule(count=st.sampled_from([1, 1, 8]))
    def a_user_posts_over_http(self, count: int) -> None:
        for _ in range(count):
            messages.post_message(room=self.room.slug, author=self.bob, body="by post", cid=uuid4())

    @rule()
    def carol_comes(self) -> None:
        rooms.join_room(slug=self.room.slug, user=self.carol)

    @rule()
    def carol_goes(self) -> None:
        with contextlib.suppress(RoomNotFound):  # she may not be here
            rooms.leave_room(slug=self.room.slug, user=self.carol)

    @rule(topic=st.sampled_from(["tides", "towns"]))
    def the_room_is_described(self, topic: str) -> None:
        rooms.update_room(slug=self.room.slug, user=self.alice, topic=topic)

    # --- fate

    @rule(number=st.integers(1, 12))
    def things_go_on(self, number: int) -> None:
        self.world.run(turns(number))

    @rule()
    def all_is_quiet(self) -> None:
        self.world.run(quiet())

    @rule(seconds=st.sampled_from([0.05, 1, 4, 30]))
    def time_passes(self, seconds: float) -> None:
        async def wait() -> None:
            until = self.world.loop.time() + seconds
            while self.world.loop.time() < until:
                await asyncio.sleep(until - self.world.loop.time())

        self.world.run(wait())

    @precondition(lambda self: self.world.layer.floating)
    @rule(place=places, fate=st.sampled_from(["arrive", "arrive", "arrive", "lose", "double"]))
    def announcements_travel(self, place: int, fate: str) -> None:
        layer = self.world.layer
        getattr(layer, fate)(place % len(layer.floating))

    @rule(closed=st.booleans())
    def the_database_answers_late(self, closed: bool) -> None:
        if closed:
            self.world.answers.open = False
        else:
            self.world.answers.release()

    @rule(away=st.booleans())
    def the_database_is_away(self, away: bool) -> None:
        self.world.database_away = away

    @rule(away=st.booleans())
    def redis_is_away(self, away: bool) -> None:
        self.world.layer.is_away = away

    # --- what always holds

    @invariant()
    def every_event_came_once_and_in_order(self) -> None:
        for device in self.devices:
            if device.page is not None and device.page.failure is not None:
                raise device.page.failure

    def teardown(self) -> None:
        try:
            self.every_event_came_once_and_in_order()
            self.in_the_end_everybody_knows_the_same()
        finally:
            for device in self.devices:
                device.cut()
            self.world.close()
            self.context.__exit__(None, None, None)

    def in_the_end_everybody_knows_the_same(self) -> None:
        self.world.answers.release()
        self.world.database_away = self.world.layer.is_away = False
        self.time_passes(7)  # the poll, twice: what still floats is as good as lost
        for who, device in enumerate(self.devices):
            if not device.follows:
                device.connect(who % 2)
        self.time_passes(1)
        self.every_event_came_once_and_in_order()
        fresh = Device(self.world, self.bob, self.room.slug)
        fresh.connect(0, limit=300)
        self.time_passes(1)
        shown = fresh.known[self.room.slug]
        fresh.cut()
        head = Room.objects.get(pk=self.room.pk).head
        stored = Message.objects.filter(room=self.room).order_by("seq")
        assert [(m["id"], m["seq"], m["rev"], m["body"]) for m in shown.visible] == list(
            stored.values_list("id", "seq", "rev", "body")
        )
        for device in self.devices:
            known = device.known[self.room.slug]
            assert (known.last, known.epoch) == (head, shown.epoch)
            assert known.visible == [message for message in shown.visible if message["seq"] >= known.start]


def test_after_any_order_of_changes_every_client_equals_a_new_one(transactional_db, monkeypatch):
    with connection.cursor() as cursor:
        cursor.execute("PRAGMA synchronous = OFF")  # a power cut is not among what may happen here
    Harbour.patch = monkeypatch
    run_state_machine_as_test(
        Harbour,
        settings=settings(
            max_examples=150,
            stateful_step_count=50,
            deadline=None,
            print_blob=True,
            suppress_health_check=[HealthCheck.too_slow],
        ),
    )
