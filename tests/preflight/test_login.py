"""A host that ssh does not reach, or where the user cannot become root, is one sentence."""

import socket
import subprocess

import pytest

from deploy.preflight.login import Connection, Login, explain_login

HERE = Connection(host="203.0.113.7", user="ann", port=2222, options="")


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("ann@203.0.113.7: Permission denied (publickey).", "refuses the user ann with the keys of this machine"),
        ("Host key verification failed.", "The key of 203.0.113.7 is not the one that ssh knows."),
        ("WARNING: REMOTE HOST IDENTIFICATION HAS CHANGED!", "The key of 203.0.113.7 is not the one that ssh knows."),
        ("ssh: Could not resolve hostname x: Name or service not known", "ssh cannot resolve the name 203.0.113.7."),
        ("connect to host x port 2222: Connection timed out", "203.0.113.7 port 2222 does not answer."),
        ("Received disconnect: Too many authentication failures", "after too many keys"),
        ("kex_exchange_identification: read: odd", "ssh does not reach 203.0.113.7 port 2222: kex"),
    ],
)
def test_each_failure_of_ssh_has_its_sentence(text: str, sentence: str) -> None:
    (found,) = explain_login(Login(unreachable=True, msg=f"Failed to connect to the host via ssh: {text}"), HERE)
    assert found.severity == "stop"
    assert sentence in found.sentence or sentence.split(": ", maxsplit=1)[0] in found.sentence
    assert found.fix


def test_a_port_without_sshd_is_said_by_ssh_itself() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    done = subprocess.run(
        ["ssh", "-F", "none", "-o", "BatchMode=yes", "-p", str(port), "127.0.0.1", "true"],
        capture_output=True,
        text=True,
        check=False,
    )
    (found,) = explain_login(
        Login(unreachable=True, msg=done.stderr), Connection(host="127.0.0.1", user="", port=port, options="")
    )
    assert found.sentence == f"No ssh server listens at 127.0.0.1 port {port}."


@pytest.mark.parametrize(
    ("text", "sentence", "fix"),
    [
        ("Missing sudo password", "sudo asks ann for a password on this host.", "-K"),
        ("Incorrect sudo password", "The password is not the one that sudo wants from ann.", "-K"),
        ("ann is not in the sudoers file.", "ann may not use sudo on this host.", "usermod -aG sudo ann"),
        ("/bin/sh: 1: sudo: not found", "This host has no sudo.", "apt-get install sudo"),
        ("something new", "sudo does not let ann become root: something new.", "sudo true"),
    ],
)
def test_each_failure_of_sudo_has_its_sentence(text: str, sentence: str, fix: str) -> None:
    (found,) = explain_login(Login(rc=1, msg=text), HERE)
    assert found.sentence == sentence
    assert fix in found.fix


def test_a_host_without_python3_is_a_stop() -> None:
    (found,) = explain_login(Login(rc=0, stdout="python3=none\n"), HERE)
    assert found.fix == "On the host: apt-get install python3"


def test_a_login_that_works_is_no_finding() -> None:
    assert explain_login(Login(rc=0, stdout="/usr/bin/python3\n"), HERE) == []
