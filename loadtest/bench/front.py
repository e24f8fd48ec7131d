"""Parley's own nginx site with TLS, in front of anybody: the repository's files, another upstream."""

import re
from dataclasses import dataclass, replace
from pathlib import Path

from deploy.local import certificate, site
from deploy.local.layout import Layout
from loadtest.bench.client.lines import Address
from loadtest.bench.contenders.contender import Contender, Target
from loadtest.bench.programs import Programs, free_port


def layout_in(folder: Path) -> Layout:
    """A local run's folders, in there."""
    layout = Layout(var=folder, env_file=folder / ".env", https_port=free_port(), http_port=free_port())
    layout.make_folders()
    return layout


def certificate_in(folder: Path) -> tuple[Path, Path]:
    """A fresh certificate and its key, of the kind that `make run` makes."""
    layout = layout_in(folder)
    certificate.renew(layout)
    return layout.tls / "fullchain.pem", layout.tls / "privkey.pem"


@dataclass(frozen=True)
class BehindNginx:
    """A contender, reached as browsers reach it: wss to nginx, and from there as it listens."""

    inner: Contender

    @property
    def name(self) -> str:
        return self.inner.name.removesuffix("-unix") + "-tls"

    @property
    def title(self) -> str:
        return f"{self.inner.title}, nginx TLS"

    def missing(self) -> str | None:
        return self.inner.missing()

    def start(self, programs: Programs, members: int) -> Target:
        target = self.inner.start(programs, members)
        layout = layout_in(programs.folder / "front")
        certificate.renew(layout)
        site.assemble(layout, static_root=layout.var / "static")
        listens_at = target.address
        upstream = f"unix:{listens_at.path}" if listens_at.path else f"127.0.0.1:{listens_at.port}"
        files = layout.nginx / "target"
        upstreams = (files / "upstreams.conf").read_text()
        (files / "upstreams.conf").write_text(
            re.sub(r"(?s)(upstream ws \{).*?\}", rf'\1 server "{upstream}" max_fails=0; }}', upstreams)
        )
        for name in ("https-server.conf", "http-server.conf"):
            (files / name).write_text(on_loopback((files / name).read_text()))
        programs.start("nginx", site.command(layout))
        address = Address(port=layout.https_port, tls=True)
        programs.await_listening(address)
        return replace(target, address=address)


def on_loopback(text: str) -> str:
    """A target's listen lines, with the first of its addresses replaced and the others gone."""
    listens = [line for line in text.splitlines() if line.startswith("listen ")]
    others = [line for line in text.splitlines() if line not in listens]
    return "\n".join([re.sub(r"^listen \S*:", "listen 127.0.0.1:", listens[0]), *others, ""])
