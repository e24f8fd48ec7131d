"""The folder from which the images of a project are built. It is laid out as this checkout is.

source/                    a copy of the project
requirements/base.txt      its packages, with hashes
python/                    channels_realtime and channels_stack
build.sh, release.sh       the manifest's commands
site.json, timers.json     what the containers need to know of the manifest
nginx/, deploy/, docker/   from this checkout; docker/compose.yaml and nginx/sites/site.conf are the project's
"""

import json
import shutil
from dataclasses import dataclass
from pathlib import Path

from deploy.containers.compose import ComposeSite, render_compose
from deploy.containers.project import write_script
from deploy.local.layout import REPO
from deploy.local.project import PACKAGES_FOR_PROJECTS, SiteDescription
from deploy.manifest import Manifest
from deploy.nginx_site import NginxSite, render_nginx_site

LEFT_OUT = shutil.ignore_patterns("__pycache__", "*.pyc")
FROM_CHECKOUT = ("deploy", "docker", "nginx")


@dataclass(frozen=True)
class Context:
    """The folder of one project's containers."""

    folder: Path

    @property
    def source(self) -> Path:
        """The copy of the project."""
        return self.folder / "source"

    @property
    def requirements(self) -> Path:
        """The list of its packages."""
        return self.folder / "requirements" / "base.txt"

    @property
    def compose_file(self) -> Path:
        """The Compose file."""
        return self.folder / "docker" / "compose.yaml"

    @property
    def log(self) -> Path:
        """What Docker printed at the last start."""
        return self.folder / "docker.log"

    def write(self, manifest: Manifest, site: ComposeSite, description: SiteDescription) -> None:
        """Write everything but the copy of the project, its packages, and nginx's server block."""
        for name in FROM_CHECKOUT:
            replace_folder(REPO / name, self.folder / name)
        for name in PACKAGES_FOR_PROJECTS:
            replace_folder(REPO / "app" / name, self.folder / "python" / name)
        for server_block in (self.folder / "nginx" / "sites").iterdir():
            server_block.unlink()
        listen = self.folder / "nginx" / "targets" / "docker" / "https-server.conf"
        with listen.open("a") as file:
            file.writelines(f"listen {port} ssl default_server backlog=4096;\n" for port in manifest.ports)
        files = {
            "build.sh": write_script(manifest, manifest.build),
            "release.sh": write_script(manifest, manifest.release),
            "site.json": json.dumps(description, indent=2) + "\n",
            "timers.json": json.dumps({name: vars(timer) for name, timer in manifest.timers.items()}, indent=2) + "\n",
        }
        for name, text in files.items():
            (self.folder / name).write_text(text)
        self.compose_file.write_text(render_compose(site))

    def write_nginx_site(self, site: NginxSite) -> None:
        """Write nginx's server block, which knows the paths of the project's static files and uploads."""
        (self.folder / "nginx" / "sites" / "site.conf").write_text(render_nginx_site(site))


def replace_folder(source: Path, target: Path) -> None:
    """Make `target` a copy of `source`."""
    shutil.rmtree(target, ignore_errors=True)
    shutil.copytree(source, target, ignore=LEFT_OUT)
