"""Programs that must agree on a number do. deploy/README.md lists the owner of each."""

import re
from pathlib import Path

from accounts.models import NAME_CHARS, User
from channels_realtime.connection import MAX_UNREAD_MESSAGES
from channels_realtime.process import PING_INTERVAL_SECONDS
from chat import limits
from chat.models import Room
from chat.services.errors import BadMessage

REPO = Path(__file__).parent.parent.parent


def seconds(text: str) -> int:
    return int(text[:-1]) * {"s": 1, "m": 60, "h": 3600}[text[-1]]


def test_the_largest_message_fits_into_a_frame():
    # Every character may need six bytes as a JSON escape of a UTF-16 half, twelve for both halves.
    assert limits.BODY_CHARS * 12 + 500 < limits.FRAME_BYTES


def test_pings_are_more_frequent_than_every_idle_timeout():
    text = (REPO / "nginx/snippets/proxy-websocket.conf").read_text()
    (timeout,) = re.findall(r"proxy_read_timeout (\w+);", text)
    assert seconds(timeout) > PING_INTERVAL_SECONDS * 2
    assert PING_INTERVAL_SECONDS * 2 < 60  # the shortest idle limit of a cloud's load balancer that we know


def test_the_frames_that_wait_for_one_socket_fit_into_4_mib():
    assert MAX_UNREAD_MESSAGES * limits.FRAME_BYTES <= 4 * 1024 * 1024


def test_the_columns_are_as_long_as_the_limits():
    assert Room._meta.get_field("slug").max_length == limits.SLUG_CHARS
    assert Room._meta.get_field("title").max_length == limits.TITLE_CHARS
    assert Room._meta.get_field("topic").max_length == limits.TOPIC_CHARS
    assert User._meta.get_field("display_name").max_length == NAME_CHARS


def test_the_text_about_a_bad_message_names_the_limit():
    assert f"{limits.BODY_CHARS:,}" in BadMessage().text
