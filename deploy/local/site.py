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
    tmp = layout.nginx / "tmp"
    # As far as this user may go, 20,000 at most; a socket takes two, and some are for files.
    files = min(resource.getrlimit(resource.RLIMIT_NOFILE)[1], 20_000)
    return {
        # As root nginx would give its workers away to `nobody`, who may not enter var/run.
        "main.conf": (f"user {pwd.getpwuid(0).pw_name};\n" if os.geteuid() == 0 else "")
        + f'daemon off;\nworker_processes 2;\nworker_rlimit_nofile {files};\npid "{layout.run}/nginx-master.pid";\nerror_log stderr warn;\n',
        "events.conf": f"worker_connections {files * 4 // 5};\n",
        "http.conf": f'access_log "{layout.log}/access.log" json;\n'
        + "".join(
            f'{kind}_temp_path "{tmp}/{kind}";\n' for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
        )
        + 'map "" $hsts { default ""; }\n'
        + f'map "" $https_port {{ default ":{layout.https_port}"; }}\n',
        "https-server.conf": listen(layout.https_port, "ssl")
        + f'ssl_certificate "{layout.tls}/fullchain.pem";\nssl_certificate_key "{layout.tls}/privkey.pem";\n',
        "http-server.conf": listen(layout.http_port),
        "upstreams.conf": f'upstream web {{ server "unix:{layout.socket("web")}" max_fails=0; }}\n'
        + "upstream ws {\n    least_conn;\n"
        + "".join(f'    server "unix:{layout.socket(name)}" max_fails=0;\n' for name in ("ws1", "ws2"))
        + "}\n",
        "static.conf": f'alias "{static_root}/";\n',
        "error-pages.conf": f'alias "{ERROR_PAGES}/";\n',
        "websocket.conf": f'error_log "{layout.log}/websocket.log" info;\n',
    }


def listen(port: int, protocol: str = "") -> str:
    """The default server of its port: here every host name is ours."""
    addresses = ("[::]" if address == "::" else address for _, address in addresses_to_listen_on())
    h2 = bool(protocol) and not has_http2_directive()
    options = " ".join(filter(None, [protocol, "http2" if h2 else "", "default_server", "backlog=4096"]))
    lines = "".join(f"listen {address}:{port} {options};\n" for address in addresses)
    return lines + ("http2 on;\n" if protocol and not h2 else "") + "server_name localhost;\n"


def has_http2_directive() -> bool:
    """nginx 1.25.1 replaced `listen ... http2`, and warns about it at each start."""
    shown = subprocess.run([program("nginx") or "nginx", "-v"], capture_output=True, text=True, check=True).stderr
    found = re.search(r"nginx/(\d+)\.(\d+)\.(\d+)", shown)
    return found is not None and tuple(map(int, found.groups())) >= (1, 25, 1)


def command(layout: Layout) -> list[str]:
    """nginx over var/nginx/; add `-t` to have it check the files only."""
    folder = layout.nginx
    return [program("nginx") or "nginx", "-p", f"{folder}/", "-c", f"{folder}/nginx.conf", "-e", "stderr"]
