"""The stack's own nginx site with TLS in front of any contender: the repository's files with another upstream."""

import re
from dataclasses import dataclass, replace
from pathlib import Path

from deploy.local import certificate, site
from deploy.local.layout import Layout
from loadtest.bench.address import Address
from loadtest.bench.contenders.contender import Contender, Target
from loadtest.bench.servers import ServerProcesses
from loadtest.core.host import find_free_port


def make_layout(folder: Path) -> Layout:
    """Make the folders of a local run in this folder, with free ports."""
    layout = Layout(var=folder, env_file=folder / ".env", https_port=find_free_port(), http_port=find_free_port())
    layout.make_folders()
    return layout


def make_certificate(folder: Path) -> tuple[Path, Path]:
    """Make a certificate as `make run` does; return the paths of the chain and of the key."""
    layout = make_layout(folder)
    certificate.renew(layout)
    return layout.tls / "fullchain.pem", layout.tls / "privkey.pem"


@dataclass(frozen=True)
class BehindNginx:
    """A contender that is reached as browsers reach it: wss to nginx, and from there to where it listens."""

    inner: Contender

    @property
    def name(self) -> str:
        """The contender's name with -tls."""
        return self.inner.name.removesuffix("-unix") + "-tls"

    @property
    def title(self) -> str:
        """As in the table."""
        return f"{self.inner.title}, nginx TLS"

    def find_obstacle(self) -> str | None:
        """Return why the contender cannot run on this machine; None if it can."""
        return self.inner.find_obstacle()

    def start(self, servers: ServerProcesses, members: int) -> Target:
        """Start the contender, and nginx in front of it."""
        target = self.inner.start(servers, members)
        layout = make_layout(servers.folder / "nginx")
        certificate.renew(layout)
        site.assemble(layout, static_root=layout.var / "static")
        upstream = f"unix:{target.address.path}" if target.address.path else f"127.0.0.1:{target.address.port}"
        files = layout.nginx / "target"
        upstreams = (files / "upstreams.conf").read_text()
        (files / "upstreams.conf").write_text(
            re.sub(r"(?s)(upstream ws \{).*?\}", rf'\1 server "{upstream}" max_fails=0; }}', upstreams)
        )
        for name in ("https-server.conf", "http-server.conf"):
            (files / name).write_text(listen_on_loopback((files / name).read_text()))
        servers.start("nginx", site.command(layout))
        address = Address(port=layout.https_port, tls=True)
        servers.await_listening(address)
        return replace(target, address=address)


def listen_on_loopback(text: str) -> str:
    """Replace the listen lines of a server file by one that listens on the loopback interface only."""
    listens = [line for line in text.splitlines() if line.startswith("listen ")]
    others = [line for line in text.splitlines() if line not in listens]
    return "\n".join([re.sub(r"^listen \S*:", "listen 127.0.0.1:", listens[0]), *others, ""])
