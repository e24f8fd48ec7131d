"""A new release while two hundred members talk."""

import asyncio
import time
from collections import Counter
from contextlib import aclosing
from pathlib import Path
from uuid import uuid4

import httpx
import pytest

from tests.docker.compose import Compose
from tests.docker.crowd import Talk, assert_all_received, crowd

SOCKETS = 200
SOCKETS_PER_USER = 8  # the product allows 10
RATE = 20  # messages a second
PAGES_A_SECOND = 10


class Readers:
    """Requests pages, static files and REST posts at a steady rate, and counts the answers."""

    def __init__(self, compose: Compose, cookie: str, room: str) -> None:
        self.client = compose.site.browser()
        self.client.cookies["sessionid"] = cookie
        self.client.cookies["csrftoken"] = self.client.headers["X-CSRFToken"] = "x" * 32
        self.room = room
        self.answers: Counter[str] = Counter()
        self.posted: list[str] = []

    async def run(self) -> None:
        number, began = 0, time.monotonic()
        async with aclosing(self.client), asyncio.TaskGroup() as asking:
            while True:
                asking.create_task(self.post() if number % 5 == 0 else self.get(number))
                number += 1
                await asyncio.sleep(max(0.0, began + number / PAGES_A_SECOND - time.monotonic()))

    async def get(self, number: int) -> None:
        path = ("/livez", f"/rooms/{self.room}/", f"/api/rooms/{self.room}/messages/")[number % 3]
        await self.count(self.client.get(path))

    async def post(self) -> None:
        body = f"rest {uuid4()}"
        message = {"cid": str(uuid4()), "body": body}
        if await self.count(self.client.post(f"/api/rooms/{self.room}/messages/", json=message)) == 201:
            self.posted.append(body)

    async def count(self, asking) -> int:
        try:
            status = int((await asking).status_code)
        except httpx.HTTPError as error:
            self.answers[type(error).__name__] += 1
            return 0
        self.answers[str(status)] += 1
        return status


@pytest.fixture
def two(compose: Compose):
    compose.up("--no-recreate", "--scale", "ws=2", "ws")
    yield compose.containers("web", "ws")
    compose.up("--no-recreate", "--scale", "ws=1", "ws")


async def test_a_rollout_loses_no_message_and_fails_no_request(
    compose: Compose, two: list[str], room: str, record_property
) -> None:
    *cookies, reader = compose.people(*(f"crew{number}" for number in range(SOCKETS // SOCKETS_PER_USER)), "reader")
    image = compose.inspect(two[0])[0]["Image"]
    compose.environment["SITE_VERSION"] = "next"  # another label, another image
    async with crowd(compose.site, cookies, room, SOCKETS) as members:
        readers = Readers(compose, reader, room)
        assert (await readers.client.post(f"/api/rooms/{room}/join/")).status_code == 200
        reading = asyncio.ensure_future(readers.run())
        async with Talk(members, RATE) as talk:
            await talk.acks(2 * RATE)
            output = await asyncio.to_thread(compose.run, "deploy/rollout")
            await talk.acks(2 * RATE)
        reading.cancel()
        await asyncio.gather(reading, return_exceptions=True)
        print(output, readers.answers, talk.slowest, len(talk.acked), sorted(len(m.away) for m in members)[-1])
        record_property("slowest_ack_seconds", round(talk.slowest, 2))
        assert set(readers.answers) <= {"200", "201"}, readers.answers
        assert readers.answers["201"] > 5
        assert all(member.away for member in members), "a member is still connected to an old ws"
        assert [member.refusals for member in members if member.refusals] == []
        await assert_all_received(members, talk.acked + readers.posted)
    now = compose.containers("web", "ws")
    assert len(now) == len(two)
    assert set(now).isdisjoint(two)
    assert all(container["Image"] != image for container in compose.inspect(*now))


def test_back_returns_to_the_release_before(compose: Compose) -> None:
    before = compose.containers("web", "ws")
    was = compose.inspect(before[0])[0]["Image"]
    compose.environment["SITE_VERSION"] = f"another-{uuid4().hex[:6]}"  # another label, another image
    compose.run("deploy/rollout")
    between = compose.containers("web", "ws")
    new = compose.inspect(between[0])[0]["Image"]
    assert new != was
    assert "done" in compose.run("deploy/rollout", "--back")
    now = compose.containers("web", "ws")
    assert set(now).isdisjoint(between)
    assert {container["Image"] for container in compose.inspect(*now)} == {was}
    # The next `docker compose up` starts it, too, and there is a way forward again.
    assert compose.inspect(compose.environment["SITE_IMAGE"])[0]["Id"] == was
    assert compose.inspect(f"{compose.project}:before")[0]["Id"] == new


# Each server of this image is healthy by itself, and refuses the requests that nginx forwards.
REFUSING = """
FROM {image}
USER root
RUN sed -i 's/^    host = headers.get/    if b"x-forwarded-for" in headers: return "refused"\\n&/' \\
    channels_realtime/origins.py
USER 10001:10001
"""


async def test_the_old_containers_return_where_the_doctor_finds_a_broken_hop(
    compose: Compose, room: str, tmp_path: Path
) -> None:
    before = compose.containers("web", "ws")
    was = compose.inspect(before[0])[0]["Image"]
    (tmp_path / "Dockerfile").write_text(REFUSING.format(image=compose.environment["SITE_IMAGE"]))
    compose.docker("build", "--quiet", "--tag", f"{compose.project}:before", str(tmp_path))
    async with crowd(compose.site, compose.people("ann", "ben", "cas"), room, 20) as members:
        async with Talk(members, RATE) as talk:
            await talk.acks(RATE)
            output = await asyncio.to_thread(compose.run, "deploy/rollout", "--back", check=False)
            await talk.acks(2 * RATE)
        await assert_all_received(members, talk.acked)
    assert "the new containers are healthy; stopping the old ones" in output
    assert "the doctor found a broken hop; starting the old containers again" in output
    assert "done" not in output
    assert set(compose.containers("web", "ws")) == set(before)
    assert compose.inspect(compose.environment["SITE_IMAGE"])[0]["Id"] == was
    compose.docker("rmi", "--force", f"{compose.project}:before")


def test_an_image_that_cannot_be_pulled_leaves_the_site_as_it_was(compose: Compose) -> None:
    before = compose.containers("web", "ws")
    assert "done" not in compose.run("deploy/rollout", "--pull", check=False)
    assert compose.containers("web", "ws") == before


def test_an_image_that_does_not_start_leaves_the_site_as_it_was(compose: Compose) -> None:
    before = compose.containers("web", "ws")
    image = compose.environment["SITE_IMAGE"]
    kept = compose.inspect(compose.inspect(before[0])[0]["Image"])[0]["Id"]
    compose.environment["ALLOW_GUESTS"] = "perhaps"  # the settings refuse this value
    try:
        output = compose.run("deploy/rollout", check=False)
    finally:
        del compose.environment["ALLOW_GUESTS"]
    assert "done" not in output
    assert compose.containers("web", "ws") == before
    assert compose("ps", "--all", "--quiet", "web", "ws").split() == before
    assert compose.inspect(image)[0]["Id"] == kept
    compose.up("--no-recreate")
