"""Between nginx and whatever is behind it: what loses a page loses a WebSocket, too, and the page is asked first."""

import re
from collections.abc import Callable

from deploy.doctor.catalogue import Evidence, Hop, row
from deploy.doctor.causes.logs import logged
from deploy.doctor.seen import Seen
from deploy.doctor.wire import Reply

ASKED = re.compile(r'upstream: "\w+://(\[[0-9a-f:]+\]|[\d.]+):\d+')

Judge = Callable[[Seen, str, Reply], Evidence | str | None]


def both(number: int, cause: str, fix: str) -> Callable[[Judge], Judge]:
    """Enter a check at the hop of the pages and at that of the sockets. It gets what was asked and the answer."""

    def enter(judge: Judge) -> Judge:
        def page(seen: Seen) -> Evidence | str | None:
            return judge(seen, seen.asked.page, seen.pages[-1])

        def socket(seen: Seen) -> Evidence | str | None:
            return judge(seen, seen.asked.ws_path, seen.sentinel) if seen.sentinel else None

        for hop, check in ((Hop.HTTP, page), (Hop.SENTINEL, socket)):
            check.__name__ = judge.__name__
            row(number, hop, cause, fix)(check)
        return judge

    return enter


def nothing_came(reply: Reply) -> bool:
    return reply.status in (502, 504) or reply.error == "timeout"


@both(
    29,
    "nginx has no connection left for the way to its servers: its worker_connections are used up.",
    "Raise worker_connections (two for each socket, listeners count) and worker_rlimit_nofile.",
)
def connections_run_out(seen: Seen, path: str, reply: Reply) -> Evidence | None:
    return logged(seen, "worker_connections are not enough") if reply.status == 500 and reply.by_nginx else None


@both(
    0,
    "nginx fails by itself: no connection left, rewrites without an end, a file that it may not read.",
    "Its error log says which; --host reads it.",
)
def nginx_fails(seen: Seen, path: str, reply: Reply) -> str | None:
    # An application has error pages of its own.
    return f"GET {path}: {reply}, written by nginx itself" if reply.status == 500 and reply.by_nginx else None


@both(
    15,
    "SELinux forbids nginx to connect.",
    "`setsebool -P httpd_can_network_connect 1`; `ausearch -m avc -ts recent` shows the refusal.",
)
def selinux_forbids(seen: Seen, path: str, reply: Reply) -> Evidence | None:
    inside = seen.inside
    # Without a mode that explains it: those are another cause, and far more frequent.
    if inside is None or inside.selinux != "Enforcing" or inside.closed_to_nginx or not nothing_came(reply):
        return None
    return logged(seen, r"connect\(\) to .* failed \(13: Permission denied\)")


@both(
    37,
    "nginx asks an address where the container no longer is.",
    "`resolver 127.0.0.11 valid=1s;` with the name in a variable; or reload nginx after a deploy.",
)
def container_has_moved(seen: Seen, path: str, reply: Reply) -> Evidence | None:
    if seen.inside is None or not nothing_came(reply):
        return None
    names = seen.inside.names
    said = logged(seen, r"while connecting to upstream.*upstream: \"\w+://[\[\d]")
    asked = ASKED.search(said.text) if said else None
    if said and asked and names and not any(asked[1].strip("[]") in addresses for addresses in names.values()):
        now = "; ".join(f"{name} is {', '.join(found) or 'nowhere'} now" for name, found in names.items())
        return Evidence(f"GET {path}: {reply}; nginx asks {asked[1]}; {now}", said.where)
    return logged(seen, r"\(113: (No route to host|Host is unreachable)\).*upstream|could not be resolved")
