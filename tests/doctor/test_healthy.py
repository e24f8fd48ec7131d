"""Where nothing is wrong the doctor finds nothing, and reports what it cannot know."""

import os
import subprocess
import sys

from tests.doctor.channels_site import ChannelsSite
from tests.doctor.conftest import StartNginx
from tests.doctor.doctor_command import Doctor
from tests.running import REPO, Stack


def test_a_healthy_site_has_no_findings(start_nginx: StartNginx, doctor: Doctor, stack: Stack) -> None:
    (cookie,) = stack.people("alice")
    found = doctor.on_host(start_nginx(), "--hold", "0.2", cookie=f"sessionid={cookie}", room="harbour")
    assert (found.exit_code, found.hop, found.cause, found.warnings) == (0, None, None, {})
    assert {hop["state"] for hop in found.report["hops"]} == {"ok"}, found.report


def test_from_outside_without_a_sign_in_the_chat_is_unknown(start_nginx: StartNginx, doctor: Doctor) -> None:
    found = doctor(start_nginx())
    assert (found.exit_code, found.warnings) == (0, {})
    assert [hop["hop"] for hop in found.report["hops"] if hop["state"] != "ok"] == ["chat", "hold"]


def test_the_doctor_reports_what_it_cannot_know_of_another_site(
    start_nginx: StartNginx, doctor: Doctor, channels_site: ChannelsSite
) -> None:
    found = doctor(start_nginx(channels_site.edits), "--ws-path", "/ws/room/", "--hold", "0.2")
    assert (found.exit_code, found.hop) == (0, None)
    unknown = {hop["hop"]: hop["note"] for hop in found.report["hops"] if hop["state"] == "unknown"}
    assert set(unknown) == {"426", "Channels", "chat"}
    assert "is not known" in unknown["426"]


def test_the_command_draws_the_hops_and_shows_no_secret(stack: Stack) -> None:
    command = [sys.executable, "-m", "deploy.doctor", stack.url, "--ca", f"{stack.folder}/var/tls/fullchain.pem"]
    secret = "sessionid=very-secret-value"
    env = os.environ | {"DOCTOR_COOKIE": secret, "DOCTOR_ROOM": "harbour"}
    done = subprocess.run(command, cwd=REPO, env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 19, done.stdout + done.stderr
    assert "✗ chat" in done.stdout
    assert "● WebSocket" in done.stdout
    assert "very-secret-value" not in done.stdout + done.stderr
    assert "\033" not in done.stdout


def test_the_standard_library_is_enough(stack: Stack) -> None:
    arguments = ["-S", "-m", "deploy.doctor", stack.url, "--ca", f"{stack.folder}/var/tls/fullchain.pem"]
    done = subprocess.run([sys.executable, *arguments], cwd=REPO, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
