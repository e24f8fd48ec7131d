"""Causes between nginx and any server behind it. They break pages and WebSockets alike, so both hops are checked."""

import re
from collections.abc import Callable

from deploy.doctor.catalogue import Check, Evidence, Hop, register_cause
from deploy.doctor.host.logs import find_in_logs
from deploy.doctor.http_client import Reply
from deploy.doctor.observations import Observations

UPSTREAM_ADDRESS = re.compile(r'upstream: "\w+://(\[[0-9a-f:]+\]|[\d.]+):\d+')

ReplyCheck = Callable[[Observations, str, Reply], Evidence | str | None]
"""Judges the reply to a request of this path."""


def for_both_hops(number: int, sentence: str, fix: str) -> Callable[[ReplyCheck], ReplyCheck]:
    """Return a decorator that registers a check at the hop of the page and at that of the upgrade probe."""

    def register(check: ReplyCheck) -> ReplyCheck:
        def check_page(observations: Observations) -> Evidence | str | None:
            return check(observations, observations.options.page_path, observations.page_replies[-1])

        def check_upgrade_probe(observations: Observations) -> Evidence | str | None:
            reply = observations.upgrade_probe_reply
            return check(observations, observations.options.ws_path, reply) if reply else None

        hop_checks: list[tuple[Hop, Check]] = [(Hop.HTTP, check_page), (Hop.UPGRADE_PROBE, check_upgrade_probe)]
        for hop, hop_check in hop_checks:
            hop_check.__name__ = check.__name__  # the cause's name
            register_cause(number, hop, sentence, fix)(hop_check)
        return check

    return register


def has_no_upstream_answer(reply: Reply) -> bool:
    """Whether nginx got no answer from the server behind it."""
    return reply.status in (502, 504) or reply.error == "timeout"


def is_nginx_failure(reply: Reply) -> bool:
    """Whether nginx itself failed. An application that fails has error pages of its own."""
    return reply.status == 500 and reply.is_nginx_page


@for_both_hops(
    29,
    "nginx has no connection left for its servers: all of its worker_connections are in use.",
    "Raise worker_connections (two for each WebSocket; listeners count) and worker_rlimit_nofile.",
)
def connections_run_out(observations: Observations, path: str, reply: Reply) -> Evidence | None:
    """Apply when nginx fails and logs that its worker_connections are not enough."""
    return find_in_logs(observations, "worker_connections are not enough") if is_nginx_failure(reply) else None


@for_both_hops(
    0,
    "nginx itself fails: it has no connection left, rewrites without end, or may not read a file.",
    "Read nginx's error log, which says which of them; --host reads it.",
)
def nginx_fails(observations: Observations, path: str, reply: Reply) -> str | None:
    """Apply when nginx fails for another reason."""
    return f"GET {path}: {reply}, written by nginx itself" if is_nginx_failure(reply) else None


@for_both_hops(
    15,
    "SELinux does not allow nginx to connect to its servers.",
    "Run `setsebool -P httpd_can_network_connect 1`. `ausearch -m avc -ts recent` shows the refusal.",
)
def selinux_forbids(observations: Observations, path: str, reply: Reply) -> Evidence | None:
    """Apply when SELinux is enforcing and nginx logs a refusal that the socket's permissions do not explain."""
    host = observations.host
    if host is None or host.selinux_mode != "Enforcing" or host.closed_to_nginx:
        return None
    if not has_no_upstream_answer(reply):
        return None
    return find_in_logs(observations, r"connect\(\) to .* failed \(13: Permission denied\)")


@for_both_hops(
    37,
    "nginx connects to an address that the container no longer has.",
    "Set `resolver 127.0.0.11 valid=1s;` and put the name into a variable, or reload nginx after each deployment.",
)
def container_has_moved(observations: Observations, path: str, reply: Reply) -> Evidence | None:
    """Apply when nginx logs an address that no name behind it has now."""
    if observations.host is None or not has_no_upstream_answer(reply):
        return None
    names = observations.host.addresses_by_name
    logged = find_in_logs(observations, r"while connecting to upstream.*upstream: \"\w+://[\[\d]")
    address = UPSTREAM_ADDRESS.search(logged.text) if logged else None
    if logged and address and names:
        old = address[1]
        if not any(old.strip("[]") in addresses for addresses in names.values()):
            now = "; ".join(
                f"{name} is {', '.join(addresses) or 'without an address'} now" for name, addresses in names.items()
            )
            return Evidence(f"GET {path}: {reply}; nginx asks {old}; {now}", logged.where)
    return find_in_logs(
        observations, r"\(113: (No route to host|Host is unreachable)\).*upstream|could not be resolved"
    )
