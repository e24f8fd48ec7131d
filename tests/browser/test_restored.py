"""A backup is restored while pages are open."""

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

    room = enter("alice", "restored")
    room.send("kept")
    room.expect_message("kept")
    deploy("backup", tmp_path)
    room.send("lost")
    room.expect_message("lost")
    deploy("restore", *tmp_path.glob("parley-*.dump"), "--noinput")
    expect(room.message("lost")).to_have_count(0, timeout=15_000)
    room.expect_message("kept")
    room.wait_until_joined()
    room.send("after")
    room.expect_message("after")
