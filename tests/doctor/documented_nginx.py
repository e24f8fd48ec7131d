"""nginx as the Channels documentation configures it, in front of any server, with that site's one page."""

from pathlib import Path

from tests.doctor.edited_nginx import start_process
from tests.nginx.served import free_ports

CONFIGURATION = """
daemon off; user root; pid {folder}/pid; error_log {folder}/error.log;
events {{ }}
http {{
    access_log off;
    upstream channels-backend {{ server {server}; }}
    server {{
        listen 127.0.0.1:{port} ssl;
        server_name localhost;
        ssl_certificate {tls}/fullchain.pem;
        ssl_certificate_key {tls}/privkey.pem;
        location = /chat/lobby/ {{
            default_type text/html;
            root {folder};
            try_files /room.html =404;
        }}
        location / {{
            try_files $uri @proxy_to_app;
        }}
        location @proxy_to_app {{
            proxy_pass http://channels-backend;
            proxy_http_version 1.1;
            {upgrade}
            proxy_redirect off;
            proxy_set_header Host $host;
            proxy_set_header X-Real-IP $remote_addr;
            proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
            proxy_set_header X-Forwarded-Host $server_name;
        }}
    }}
}}
"""
UPGRADE = 'proxy_set_header Upgrade $http_upgrade; proxy_set_header Connection "upgrade";'


class DocumentedNginx:
    """A running nginx. stop() ends it."""

    def __init__(self, folder: Path, server: str, tls: Path, *, page: str = "", upgrade: str = UPGRADE) -> None:
        """Start nginx and wait until it accepts connections.

        Args:
            folder: does not exist yet.
            server: the address of the server behind it, in nginx's notation.
            tls: a folder with fullchain.pem and privkey.pem.
            page: the HTML at /chat/lobby/.
            upgrade: the directives that pass on the upgrade.
        """
        folder.mkdir()
        (self.port,) = free_ports(1)
        self.ca, self.log = tls / "fullchain.pem", folder / "error.log"
        (folder / "room.html").write_text(page)
        text = CONFIGURATION.format(folder=folder, server=server, port=self.port, tls=tls, upgrade=upgrade)
        (folder / "nginx.conf").write_text(text)
        self.command = f"nginx -p {folder}/ -c {folder}/nginx.conf -e stderr"
        self.process = start_process(self.command.split(), self.port, self.log)

    @property
    def url(self) -> str:
        """The address of its site."""
        return f"https://localhost:{self.port}"

    def stop(self) -> None:
        """End nginx and wait for it."""
        self.process.terminate()
        self.process.wait()
