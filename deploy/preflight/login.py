"""What went wrong before anything could be looked at: the connection, sudo, or Python on the host."""

import re
from typing import TypedDict

from deploy.preflight.finding import Finding, stop


class Login(TypedDict, total=False):
    """The result of Ansible's task that connects, becomes root and looks for python3."""

    unreachable: bool
    msg: str
    rc: int
    stdout: str
    stderr: str


class Connection(TypedDict):
    """How Ansible reaches the host, by the inventory and its own options."""

    host: str
    """An address, a name, or an alias of ~/.ssh/config."""
    user: str
    """"" where ssh decides."""
    port: int | None
    options: str
    """More arguments of ssh."""


# A text of ssh (lower case), the sentence, and what to do. The first that is found counts.
SSH_ERRORS = (
    (
        "host key verification failed|remote host identification has changed",
        "The key of {host} is not the one that ssh knows.",
        "If the machine is new, remove the old key (ssh-keygen -R {host}), and compare the new one: ssh {login}",
    ),
    (
        "too many authentication failures",
        "The ssh server of {host} refused the login after too many keys.",
        "Name the key: IdentityFile and IdentitiesOnly yes for {host} in ~/.ssh/config.",
    ),
    (
        "permission denied|authentication failed|invalid/incorrect password",
        "The ssh server of {host} refuses {who}.",
        "Name the right user (HOST=USER@{host}), and check that this works: ssh {login}",
    ),
    (
        "could not resolve hostname|name or service not known|temporary failure in name resolution",
        "ssh cannot resolve the name {host}.",
        "Correct the name, or give the address: HOST=USER@ADDRESS.",
    ),
    (
        "connection refused",
        "No ssh server listens at {where}.",
        "Start sshd on the host, or name its port: Port in ~/.ssh/config, or ansible_port.",
    ),
    (
        "timed out|timeout|no route to host|network is unreachable",
        "{where} does not answer.",
        "Check that the machine runs and that its network lets ssh through from here: ssh {login}",
    ),
    (
        "bad owner or permissions|unprotected private key|load key",
        "ssh does not take its key or its configuration: {last}.",
        "Check that this works: ssh {login}",
    ),
)
SUDO_ERRORS = (
    (
        "missing sudo password|a password is required|a terminal is required",
        "sudo asks {user} for a password on this host.",
        "Give it when you are asked: -K (make deploy ARGS=-K, or --ask-become-pass of the command deploy).",
    ),
    (
        "incorrect sudo password|incorrect password|sorry, try again",
        "The password is not the one that sudo wants from {user}.",
        "Type it again with -K, or log in as a user who may use sudo.",
    ),
    (
        "not in the sudoers|may not run sudo|not allowed to",
        "{user} may not use sudo on this host.",
        "Log in as another user, or as root on the host: usermod -aG sudo {user}",
    ),
    (
        "sudo: not found|sudo: command not found|no such file or directory.*sudo",
        "This host has no sudo.",
        "Log in as root (HOST=root@...), or as root on the host: apt-get install sudo",
    ),
)


def explain_login(login: Login, connection: Connection) -> list[Finding]:
    """Return a stop where Ansible could not connect or become root, or the host has no python3."""
    text = " ".join(str(login.get(key, "")) for key in ("msg", "stdout", "stderr"))
    if login.get("unreachable"):
        return [
            _explain("ssh", SSH_ERRORS, text, connection, "ssh does not reach {where}: {last}.", "Try: ssh {login}")
        ]
    if login.get("rc", 1) != 0:
        general = "sudo does not let {user} become root: {last}."
        return [_explain("sudo", SUDO_ERRORS, text, connection, general, "Try on the host: sudo true")]
    if "python3=none" in str(login.get("stdout", "")):
        fix = "On the host: apt-get install python3"
        return [stop("python", "This host has no python3, which Ansible and the site need.", fix)]
    return []


def _explain(
    subject: str, table: tuple[tuple[str, str, str], ...], text: str, connection: Connection, general: str, fix: str
) -> Finding:
    """Return the sentence of the first row whose pattern is in the text, else the general one."""
    host, user, port = connection["host"], connection["user"], connection["port"]
    lines = [line.strip() for line in re.split(r"\\n|[\r\n]", text) if line.strip()] or ["no reason was given"]
    words = {
        "host": host,
        "user": user or "this user",
        "who": f"the user {user} with the keys of this machine" if user else "your user with the keys of this machine",
        "where": f"{host} port {port}" if port else host,
        "login": f"{f'-p {port} ' if port else ''}{f'{user}@' if user else ''}{host}",
        "last": lines[-1].rstrip("."),
    }
    for pattern, sentence, advice in table:
        if re.search(pattern, text.lower()):
            return stop(subject, sentence.format(**words), advice.format(**words))
    return stop(subject, general.format(**words), fix.format(**words))
