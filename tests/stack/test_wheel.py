"""The wheel works in an environment that has nothing else: with the lowest versions it names, and with the newest."""

import asyncio
import json
import subprocess
import sys
import tomllib
from collections.abc import Callable
from pathlib import Path
from urllib.parse import quote

import pytest
from websockets.asyncio.client import connect

from tests.stack import resumable_tutorial
from tests.stack.guest import REPO, GuestProject

PACKAGE = REPO / "app" / "channels_realtime"
PROJECT = tomllib.loads((PACKAGE / "pyproject.toml").read_text())["project"]

# The README's example of a stream, with a client that comes late and one that reconnects.
EXAMPLE = """
import asyncio, json, os, re, sys
from asgiref.testing import ApplicationCommunicator
import django
django.setup()
import channels_realtime.publisher
channels_realtime.publisher.transaction.on_commit = lambda publish: publish()
names = {}
exec(re.search(r"```python\\n(import json.*?)```", open(sys.argv[1]).read(), re.DOTALL).group(1), names)

async def connected(last):
    client = ApplicationCommunicator(names["application"], {"type": "websocket", "path": "/"})
    await client.send_input({"type": "websocket.connect"})
    assert (await client.receive_output())["type"] == "websocket.accept"
    await client.send_input({"type": "websocket.receive", "text": str(last)})
    return client

async def texts(client):
    return [event["text"] for event in json.loads((await client.receive_output(5))["text"])["events"]]

async def main():
    names["post_notice"]("one")
    names["post_notice"]("two")
    client = await connected(1)
    received = await texts(client)
    names["post_notice"]("three")
    print(json.dumps(received + await texts(client)), flush=True)
    os._exit(0)  # without waiting for the tasks of the hub, which serve as long as the process lives

asyncio.run(main())
"""


def run(*command: str, **options: object) -> str:
    done = subprocess.run(command, capture_output=True, text=True, check=False, **options)  # type: ignore[call-overload]
    assert done.returncode == 0, done.stderr + done.stdout
    return done.stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    run(sys.executable, "-m", "uv", "build", "--quiet", "--wheel", str(PACKAGE), "--out-dir", str(folder))
    (built,) = folder.glob("*.whl")
    return built


@pytest.fixture(scope="module")
def install(wheel: Path, tmp_path_factory) -> Callable[..., Path]:
    def install_into_new_environment(*versions: str) -> Path:
        folder = tmp_path_factory.mktemp("venv")
        run(sys.executable, "-m", "uv", "venv", "--quiet", "--python", sys.executable, str(folder))
        python = folder / "bin" / "python"
        run(sys.executable, "-m", "uv", "pip", "install", "--quiet", "--python", str(python), str(wheel), *versions)
        return python

    return install_into_new_environment


LOWEST = tuple(requirement.replace(">=", "==") for requirement in PROJECT["dependencies"])


@pytest.mark.parametrize("versions", [LOWEST, ("django==5.2.*",)], ids=["lowest", "newest"])
async def test_a_new_environment_runs_the_examples_of_the_readme(install, versions, tmp_path):
    python = await asyncio.to_thread(install, *versions)
    project = resumable_tutorial.make_project(tmp_path / "tutorial", python=python)
    project.start_redis()
    try:
        example = project.folder / "example.py"
        example.write_text(EXAMPLE)
        readme = str(PACKAGE / "README.md")
        printed = run(str(python), str(example), readme, cwd=project.folder, env=project.environment)
        assert json.loads(printed) == ["two", "three"]
        await check_resume(project)
    finally:
        project.stop()


async def check_resume(project: GuestProject) -> None:
    """A client that was away while others wrote gets what it missed, from a server of the new environment."""
    server = project.serve()
    address = f"localhost:{server.address[1]}"
    url = f"ws://{address}/ws/chat/lobby/?resume="
    async with asyncio.timeout(30), connect(url + "%7B%7D", origin=f"http://{address}") as hers:
        position = json.loads(await hers.recv())
        await hers.send(json.dumps({"id": "a", "text": json.dumps({"message": "kept"})}))
        while json.loads(await hers.recv()).get("ack") != "a":
            pass
        missed = quote(json.dumps({position["stream"]: [position["epoch"], position["seq"]]}))
        async with connect(url + missed, origin=f"http://{address}") as late:
            await late.recv()
            assert json.loads(json.loads(await late.recv())["texts"][0]) == {"message": "kept"}


def test_the_wheel_has_the_marker_for_types_the_script_and_the_migration(wheel):
    names = run(sys.executable, "-m", "zipfile", "--list", str(wheel))
    for name in ("py.typed", "static/channels_realtime/resumable-socket.js", "migrations/0001_initial.py"):
        assert f"channels_realtime/{name}" in names
