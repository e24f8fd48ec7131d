"""nginx's nchan module: subscribers by WebSocket, the publisher by HTTP POST. It is its own nginx, also with TLS."""

from dataclasses import dataclass
from pathlib import Path

from loadtest.bench import install
from loadtest.bench.client.dialects import ROOM
from loadtest.bench.client.lines import Address
from loadtest.bench.contenders.contender import Target
from loadtest.bench.front import certificate_in
from loadtest.bench.programs import REPO, Programs, free_port

MODULE = Path("/usr/lib/nginx/modules/ngx_nchan_module.so")

# The package's own file in modules-enabled/ is for Debian's nginx.conf, which nothing here reads.
CONFIGURATION = """
load_module {module};
user {user};
worker_processes 1;
daemon off;
pid {folder}/nginx.pid;
events {{ worker_connections 16000; }}
http {{
    access_log off;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    keepalive_requests 100000000;
    nchan_message_buffer_length 100;
    server {{
        listen 127.0.0.1:{port}{tls} backlog=4096;
        {tls_settings}
        location = /ws/{room} {{
            nchan_subscriber websocket;
            nchan_channel_id {room};
            nchan_subscriber_first_message newest;
        }}
    }}
    server {{
        listen 127.0.0.1:{publish_port};
        location = /publish/{room} {{
            nchan_publisher http;
            nchan_channel_id {room};
        }}
    }}
}}
"""


@dataclass(frozen=True)
class Nchan:
    tls: bool = False

    @property
    def name(self) -> str:
        return "nchan-tls" if self.tls else "nchan"

    @property
    def title(self) -> str:
        return "nginx nchan" + (", TLS" if self.tls else "")

    def missing(self) -> str | None:
        return None if MODULE.exists() else install.debian("libnginx-mod-nchan")

    def start(self, programs: Programs, members: int) -> Target:
        folder, port, publish_port = programs.folder, free_port(), free_port()
        settings = ""
        if self.tls:
            certificate, key = certificate_in(folder)
            settings = f"ssl_certificate {certificate}; ssl_certificate_key {key};\n"
            settings += (REPO / "nginx/snippets/tls.conf").read_text().replace("snippets/", f"{REPO}/nginx/snippets/")
        text = CONFIGURATION.format(
            module=MODULE,
            user=install.owner(),
            folder=folder,
            port=port,
            publish_port=publish_port,
            room=ROOM,
            tls=" ssl" if self.tls else "",
            tls_settings=settings,
        )
        (folder / "nchan.conf").write_text(text)
        process = programs.start(
            "server", ["nginx", "-p", str(folder), "-c", str(folder / "nchan.conf"), "-e", "stderr"]
        )
        for address in (Address(port=port), Address(port=publish_port)):
            programs.await_listening(address)
        return Target(
            Address(port=port, tls=self.tls),
            "posted",
            path=f"/ws/{ROOM}",
            post_to=Address(port=publish_port),
            listening_pid=process.pid,
        )
