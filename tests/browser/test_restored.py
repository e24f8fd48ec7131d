"""The site is put back to an older day while its pages are open."""

import subprocess
from collections.abc import Callable
from pathlib import Path

from playwright.sync_api import expect

from tests.browser.window import RoomPage
from tests.running import REPO, Stack


def test_an_open_page_shows_what_there_is_now(stack: Stack, enter: Callable[..., RoomPage], tmp_path: Path) -> None:
    def deploy(script: str, *arguments: object) -> None:
        command = [REPO / "deploy" / script, *map(str, arguments)]
        subprocess.run(command, env=stack.settings_environment(), check=True, capture_output=True)

    room = enter("alice", "put-back")
    room.say("kept")
    room.has("kept")
    deploy("backup", tmp_path)
    room.say("lost")
    room.has("lost")
    deploy("restore", *tmp_path.glob("parley-*.dump"), "--noinput")
    expect(room.message("lost")).to_have_count(0, timeout=15_000)
    room.has("kept")
    room.is_up()
    room.say("after")
    room.has("after")
