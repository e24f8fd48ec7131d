"""nginx's folder for a local run: the repository's files by symbolic link, and a target of our own."""

import os
import pwd
import re
import resource
import subprocess
from pathlib import Path

from deploy.local.checks import addresses_to_listen_on, program
from deploy.local.layout import REPO, Layout

SHARED = ("nginx.conf", "sites", "snippets")
ERROR_PAGES = REPO / "nginx" / "errors"


def assemble(layout: Layout, *, static_root: Path) -> None:
    """Fill var/nginx/ so that `nginx -p var/nginx/ -c var/nginx/nginx.conf` serves this run."""
    (layout.nginx / "tmp").mkdir(exist_ok=True)
    for name in SHARED:
        link = layout.nginx / name
        link.unlink(missing_ok=True)
        link.symlink_to(REPO / "nginx" / name)
    target = layout.nginx / "target"
    target.mkdir(exist_ok=True)
    for name, text in local_target(layout, static_root).items():
        (target / name).write_text("# Written by deploy/run.py for this run.\n" + text)


def local_target(layout: Layout, static_root: Path) -> dict[str, str]:
    """The files of nginx/targets/host/, with what suits this machine in them."""
    # As far as this user may go, 20,000 at most; a socket takes two, and some are for files.
    files = min(resource.getrlimit(resource.RLIMIT_NOFILE)[1], 20_000)
    tmp = layout.nginx / "tmp"
    daphnes = (f'server "unix:{layout.socket(name)}" max_fails=0' for name in ("ws1", "ws2"))
    return {
        "main.conf": directives(
            # As root nginx would give its workers away to `nobody`, who may not enter var/run.
            *([f"user {pwd.getpwuid(0).pw_name}"] if os.geteuid() == 0 else []),
            "daemon off",
            "worker_processes 2",
            f"worker_rlimit_nofile {files}",
            f'pid "{layout.run}/nginx-master.pid"',
            "error_log stderr warn",
        ),
        "events.conf": directives(f"worker_connections {files * 4 // 5}"),
        "http.conf": directives(
            f'access_log "{layout.log}/access.log" json',
            *(f'{kind}_temp_path "{tmp}/{kind}"' for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")),
        )
        + block('map "" $hsts', 'default ""')
        + block('map "" $https_port', f'default ":{layout.https_port}"'),
        "https-server.conf": listen(layout.https_port, "ssl")
        + directives(
            f'ssl_certificate "{layout.tls}/fullchain.pem"',
            f'ssl_certificate_key "{layout.tls}/privkey.pem"',
        ),
        "http-server.conf": listen(layout.http_port),
        "upstreams.conf": block("upstream web", f'server "unix:{layout.socket("web")}" max_fails=0')
        + block("upstream ws", "least_conn", *daphnes)
        + block('map "" $web_servers', "default web")
        + block('map "" $ws_servers', "default ws"),
        "rate-limit-exempt.conf": "",
        "static.conf": directives(f'alias "{static_root}/"'),
        "error-pages.conf": directives(f'alias "{ERROR_PAGES}/"'),
        "websocket.conf": directives(f'error_log "{layout.log}/websocket.log" info'),
    }


def directives(*lines: str) -> str:
    return "".join(f"{line};\n" for line in lines)


def block(head: str, *lines: str) -> str:
    return f"{head} {{\n{directives(*lines)}}}\n"


def listen(port: int, protocol: str = "") -> str:
    """The default server of its port: here every host name is ours."""
    addresses = ["[::]" if address == "::" else address for _, address in addresses_to_listen_on()]
    has_directive = has_http2_directive()
    options = [protocol, "http2" if protocol and not has_directive else "", "default_server", "backlog=4096"]
    words = " ".join(option for option in options if option)
    lines = [f"listen {address}:{port} {words}" for address in addresses]
    return directives(*lines, *(["http2 on"] if protocol and has_directive else []), "server_name localhost")


def has_http2_directive() -> bool:
    """nginx 1.25.1 replaced `listen ... http2`, and warns about it at each start."""
    shown = subprocess.run([program("nginx") or "nginx", "-v"], capture_output=True, text=True, check=True).stderr
    found = re.search(r"nginx/(\d+)\.(\d+)\.(\d+)", shown)
    return found is not None and tuple(map(int, found.groups())) >= (1, 25, 1)


def command(layout: Layout) -> list[str]:
    """nginx over var/nginx/; add `-t` to have it check the files only."""
    folder = layout.nginx
    return [program("nginx") or "nginx", "-p", f"{folder}/", "-c", f"{folder}/nginx.conf", "-e", "stderr"]
