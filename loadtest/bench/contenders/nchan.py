"""nginx's nchan module: subscribers by WebSocket, the publisher by HTTP POST. It runs in an nginx of its own."""

from dataclasses import dataclass
from pathlib import Path

from loadtest.bench import install
from loadtest.bench.address import Address
from loadtest.bench.client.protocols import ROOM
from loadtest.bench.contenders.contender import Target
from loadtest.bench.nginx_proxy import make_certificate
from loadtest.bench.servers import ServerProcesses
from loadtest.core.host import REPO, find_free_port

MODULE = Path("/usr/lib/nginx/modules/ngx_nchan_module.so")

# The package's own file in modules-enabled/ is read by Debian's nginx.conf only.
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
    """One nginx. `tls`: with the TLS settings of the stack's site."""

    tls: bool = False

    @property
    def name(self) -> str:
        """As on the command line and in the results."""
        return "nchan-tls" if self.tls else "nchan"

    @property
    def title(self) -> str:
        """As in the table."""
        return "nginx nchan" + (", TLS" if self.tls else "")

    def find_obstacle(self) -> str | None:
        """Return why the module is not installed and could not be; None if it is."""
        return None if MODULE.exists() else install.install_debian_package("libnginx-mod-nchan")

    def start(self, servers: ServerProcesses, members: int) -> Target:
        """Start nginx on free ports: one for subscribers, one for the publisher."""
        folder, port, publish_port = servers.folder, find_free_port(), find_free_port()
        settings = ""
        if self.tls:
            certificate, key = make_certificate(folder)
            settings = f"ssl_certificate {certificate}; ssl_certificate_key {key};\n"
            settings += (REPO / "nginx/snippets/tls.conf").read_text().replace("snippets/", f"{REPO}/nginx/snippets/")
        text = CONFIGURATION.format(
            module=MODULE,
            user=install.current_user_name(),
            folder=folder,
            port=port,
            publish_port=publish_port,
            room=ROOM,
            tls=" ssl" if self.tls else "",
            tls_settings=settings,
        )
        (folder / "nchan.conf").write_text(text)
        process = servers.start(
            "server", ["nginx", "-p", str(folder), "-c", str(folder / "nchan.conf"), "-e", "stderr"]
        )
        for address in (Address(port=port), Address(port=publish_port)):
            servers.await_listening(address)
        return Target(
            Address(port=port, tls=self.tls),
            "nchan",
            path=f"/ws/{ROOM}",
            post_to=Address(port=publish_port),
            listening_pid=process.pid,
        )
