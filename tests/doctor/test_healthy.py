"""Where nothing is wrong the doctor finds nothing, and it says what it cannot know."""

import os
import subprocess
import sys

from tests.doctor.conftest import Fronted
from tests.doctor.patient import Doctor
from tests.doctor.tutorial import Tutorial
from tests.running import REPO, Stack


def test_a_healthy_site_is_found_healthy(front: Fronted, doctor: Doctor, stack: Stack) -> None:
    (cookie,) = stack.people("alice")
    found = doctor.inside(front(), "--hold", "0.2", cookie=f"sessionid={cookie}", room="harbour")
    assert (found.code, found.hop, found.cause, found.warnings) == (0, None, None, {})
    assert {hop["state"] for hop in found.said["hops"]} == {"well"}, found.said


def test_from_outside_without_a_sign_in_the_rest_is_said_to_be_unknown(front: Fronted, doctor: Doctor) -> None:
    found = doctor(front())
    assert (found.code, found.warnings) == (0, {})
    assert [hop["hop"] for hop in found.said["hops"] if hop["state"] != "well"] == ["chat", "hold"]


def test_of_somebody_elses_site_it_says_what_it_cannot_know(front: Fronted, doctor: Doctor, tutorial: Tutorial) -> None:
    found = doctor(front(tutorial.edits), "--ws-path", "/ws/room/", "--hold", "0.2")
    assert (found.code, found.hop) == (0, None)
    unknown = {hop["hop"]: hop["note"] for hop in found.said["hops"] if hop["state"] == "unknown"}
    assert set(unknown) == {"426", "Channels", "chat"}
    assert "is not known" in unknown["426"]


def test_the_command_draws_the_hops_and_shows_no_secret(stack: Stack) -> None:
    words = [sys.executable, "-m", "deploy.doctor", stack.url, "--ca", f"{stack.folder}/var/tls/fullchain.pem"]
    secret = "sessionid=very-secret-value"
    env = os.environ | {"PARLEY_DOCTOR_COOKIE": secret, "PARLEY_DOCTOR_ROOM": "harbour"}
    done = subprocess.run(words, cwd=REPO, env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 19, done.stdout + done.stderr
    assert "✗ chat" in done.stdout
    assert "● WebSocket" in done.stdout
    assert "very-secret-value" not in done.stdout + done.stderr
    assert "\033" not in done.stdout


def test_the_standard_library_is_enough(stack: Stack) -> None:
    words = ["-S", "-m", "deploy.doctor", stack.url, "--ca", f"{stack.folder}/var/tls/fullchain.pem"]
    done = subprocess.run([sys.executable, *words], cwd=REPO, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
