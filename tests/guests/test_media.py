"""Uploaded files: announced over a socket, stored, and served by nginx."""

import json
import secrets

import pytest

from tests.guests.conftest import Enter
from tests.guests.guests import PIXEL, Gallery

pytestmark = pytest.mark.guests("gallery")
ORIGINAL_BYTES = 5 * 1024 * 1024


async def test_an_upload_is_announced_and_served(enter: Enter, guest: Gallery, text: str) -> None:
    alice, bob = await enter("alice"), await enter("bob")
    his = await bob.connect((await guest.meet(bob))[0])
    assert (await guest.upload(alice, text)).status_code == 302
    event = json.loads(await his.receive())
    assert event["added"] == text
    picture = await bob.get(event["url"])
    assert picture.status_code == 200
    assert picture.headers["content-type"] == "image/png"
    assert picture.headers["x-content-type-options"] == "nosniff"
    assert picture.content == PIXEL


async def test_an_upload_of_5_mb_comes_back_unchanged(enter: Enter, guest: Gallery, text: str) -> None:
    alice = await enter("alice")
    original = secrets.token_bytes(ORIGINAL_BYTES)
    assert (await guest.upload(alice, text, original)).status_code == 302
    page = (await alice.get("/")).text
    figure = page[page.index(text) :]
    url = figure.partition('<a href="')[2].partition('"')[0]
    assert url.startswith("/media/originals/")
    assert (await alice.get(url)).content == original


async def test_media_that_does_not_exist_is_not_found(enter: Enter, guest: Gallery) -> None:
    alice = await enter("alice")
    for path in ("/media/photos/absent.png", "/media/", "/media/..%2fsettings.py"):
        assert (await alice.get(path)).status_code in (400, 403, 404), path
