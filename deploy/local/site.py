"""The folder of nginx in a local run: links to the repository's files, and the target of this run."""

import os
import pwd
import re
import resource
import subprocess
from collections.abc import Sequence
from pathlib import Path

from deploy.local.checks import addresses_to_listen_on, program
from deploy.local.layout import REPO, Layout
from deploy.nginx_site import CHAT, NginxSite, render_nginx_site

SHARED = ("nginx.conf", "http.conf", "snippets")
ERROR_PAGES = REPO / "nginx" / "errors"
WRITTEN = "# Written by deploy/local/site.py for this run.\n"


def assemble(
    layout: Layout,
    *,
    static_root: Path,
    site: NginxSite = CHAT,
    media_root: Path | None = None,
    ports: Sequence[int] = (),
) -> None:
    """Write var/nginx/, so that `nginx -p var/nginx/ -c var/nginx/nginx.conf` serves this run.

    Args:
        layout: the folders and the two ports of the run.
        static_root: the folder of the static files.
        site: what the server block contains.
        media_root: the folder of uploaded files, where `site` has a path for them.
        ports: more ports that serve the same over TLS.
    """
    (layout.nginx / "tmp").mkdir(exist_ok=True)
    for name in SHARED:
        link = layout.nginx / name
        link.unlink(missing_ok=True)
        link.symlink_to(REPO / "nginx" / name)
    files = {f"target/{name}": text for name, text in local_target(layout, static_root, ports).items()}
    if media_root:
        files["target/media.conf"] = directives(f'alias "{media_root}/"')
    files["sites/site.conf"] = render_nginx_site(site)
    for name, text in files.items():
        file = layout.nginx / name
        if file.parent.is_symlink():  # a run of an earlier version linked nginx/sites
            file.parent.unlink()
        file.parent.mkdir(exist_ok=True)
        file.write_text(WRITTEN + text)


def local_target(layout: Layout, static_root: Path, ports: Sequence[int] = ()) -> dict[str, str]:
    """Return the text of each file of nginx/targets/host/ that a local run needs, by its name, for this machine."""
    # As many open files as this user may have, at most 20,000. A WebSocket takes two, and nginx needs some for itself.
    files = min(resource.getrlimit(resource.RLIMIT_NOFILE)[1], 20_000)
    tmp = layout.nginx / "tmp"
    daphnes = (f'server "unix:{layout.socket(name)}" max_fails=0' for name in ("ws1", "ws2"))
    return {
        "main.conf": directives(
            # As root, nginx would start its workers as the user nobody, who may not enter var/run.
            *([f"user {pwd.getpwuid(0).pw_name}"] if os.geteuid() == 0 else []),
            "daemon off",
            "worker_processes 2",
            f"worker_rlimit_nofile {files}",
            "worker_shutdown_timeout 24h",
            f'pid "{layout.nginx_pid_file}"',
            "error_log stderr warn",
        ),
        "events.conf": directives(f"worker_connections {files * 4 // 5}"),
        "server.conf": directives(f'access_log "{layout.log}/access.log" json', "proxy_connect_timeout 5s"),
        "http.conf": directives(
            *(f'{kind}_temp_path "{tmp}/{kind}"' for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")),
        )
        + block('map "" $hsts', 'default ""')
        + block('map "" $https_port', f'default ":{layout.https_port}"'),
        "https-server.conf": listen((layout.https_port, *ports), "ssl")
        + directives(
            f'ssl_certificate "{layout.tls}/fullchain.pem"',
            f'ssl_certificate_key "{layout.tls}/privkey.pem"',
        ),
        "http-server.conf": listen((layout.http_port,)),
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
    """Return the lines as nginx directives, each with its semicolon."""
    return "".join(f"{line};\n" for line in lines)


def block(head: str, *lines: str) -> str:
    """Return an nginx block such as `upstream web {...}` with these directives in it."""
    return f"{head} {{\n{directives(*lines)}}}\n"


def listen(ports: Sequence[int], protocol: str = "") -> str:
    """Return the listen directives of a default server, which answers to every host name.

    Args:
        ports: where it listens, with IPv4 and with IPv6.
        protocol: "ssl", which adds HTTP/2, or nothing.
    """
    addresses = ["[::]" if address == "::" else address for _, address in addresses_to_listen_on()]
    has_directive = has_http2_directive()
    options = [protocol, "http2" if protocol and not has_directive else "", "default_server", "backlog=4096"]
    joined = " ".join(option for option in options if option)
    lines = [f"listen {address}:{port} {joined}" for port in ports for address in addresses]
    return directives(*lines, *(["http2 on"] if protocol and has_directive else []), "server_name localhost")


def has_http2_directive() -> bool:
    """Return whether this nginx has `http2 on`: 1.25.1 or newer, which warns about `listen ... http2` at each start."""
    shown = subprocess.run([program("nginx") or "nginx", "-v"], capture_output=True, text=True, check=True).stderr
    found = re.search(r"nginx/(\d+)\.(\d+)\.(\d+)", shown)
    return found is not None and tuple(map(int, found.groups())) >= (1, 25, 1)


def command(layout: Layout) -> list[str]:
    """Return the command that starts nginx with var/nginx/; with `-t` added, it only tests the files."""
    folder = layout.nginx
    return [program("nginx") or "nginx", "-p", f"{folder}/", "-c", f"{folder}/nginx.conf", "-e", "stderr"]
