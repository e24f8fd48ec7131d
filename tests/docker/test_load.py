"""The profile `load`: one container creates the accounts, and another one generates the load."""

import json
import subprocess

from tests.docker.compose import REPO, Compose


def test_the_load_test_runs_inside_the_network_of_nginx(compose: Compose) -> None:
    people = compose("run", "--rm", "--no-deps", "-T", "web", "manage", "load_people", "20", "--rooms", "2")
    assert len(json.loads(people)["cookies"]) == 20
    flags = ["--rooms", "2", "--members", "10", "--rate", "5", "--seconds", "2", "--max-lag-ms", "10000"]
    done = subprocess.run(
        ["docker", "compose", "--profile", "load", "run", "--rm", "-T", "load", "fanout", "--sessions", "-", *flags],
        cwd=REPO,
        env=compose.environment,
        input=people,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.strip().splitlines()[-1].startswith("fanout PASS: 220 deliveries, 0 lost")
    gone = compose("run", "--rm", "--no-deps", "-T", "web", "manage", "load_people", "--remove")
    assert gone.splitlines()[-1] == "Deleted 2 rooms and 20 people."
