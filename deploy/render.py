"""Render the files of a site on a host, as Ansible does, for tests and for reading.

    python -m deploy.render --site FOLDER --target host --out DIR

FOLDER has the project's stack.toml. The files are written below DIR with the paths that they have on the host.
"""

import argparse
import sys
from pathlib import Path

from jinja2 import TemplateError

from deploy.manifest import WrongManifest, read_manifest
from deploy.nginx_host import TextFile, list_site_files
from deploy.site_context import SiteContext, SiteVariables, WrongSite, build_context, list_unit_files
from deploy.templates import render_text

CHECKOUT = Path(__file__).resolve().parent.parent
TEMPLATES = CHECKOUT / "systemd"


def read_site(folder: Path, variables: SiteVariables) -> SiteContext:
    """Return the context of the project in this folder; app/ of this checkout is the chat.

    Raises:
        WrongManifest: its stack.toml is missing or wrong.
        WrongSite: a variable or a command cannot be used.
    """
    layout = "checkout" if folder.resolve() == CHECKOUT / "app" else "project"
    return build_context(read_manifest(folder), variables, layout)


def render_units(site: SiteContext) -> list[TextFile]:
    """Return the units of the site and their drop-ins."""
    return [
        TextFile(
            path=file["path"],
            content=render_text((TEMPLATES / file["template"]).read_text(), site=site, unit_program=file["program"]),
            is_replaced=True,
        )
        for file in list_unit_files(site)
    ]


def render_host(site: SiteContext) -> dict[str, str]:
    """Return the content of each file of systemd and nginx that belongs to the site alone, by its path on a host.

    The chat's files of nginx are those of nginx/targets/host/ and need no rendering; see deploy/nginx_host.py.
    """
    files = {file["path"]: file["content"] for file in render_units(site)}
    if site["layout"] == "project":
        files |= {file["path"]: file["content"] for file in list_site_files(site)}
    return files


def main() -> int:
    """Return the exit code: 0 when the files are written, 1 when the project or a template is wrong."""
    parser = argparse.ArgumentParser(
        prog="python -m deploy.render", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--site", type=Path, required=True, metavar="FOLDER", help="the folder of stack.toml")
    parser.add_argument("--target", choices=["host"], default="host")
    parser.add_argument("--out", type=Path, required=True, metavar="DIR", help="where the files are written")
    parser.add_argument("--domain", default="", help="instead of the manifest's domain")
    parser.add_argument("--ws-instances", type=int, default=2, metavar="N", help="the number of WebSocket servers")
    options = parser.parse_args()
    try:
        site = read_site(options.site, {"domain": options.domain, "ws_instances": options.ws_instances})
        files = render_host(site)
    except (WrongManifest, WrongSite, TemplateError) as error:
        print(f"render: {error}", file=sys.stderr)
        return 1
    for path, text in files.items():
        written = options.out / path.lstrip("/")
        written.parent.mkdir(parents=True, exist_ok=True)
        written.write_text(text)
    print(f"render: {len(files)} files of {site['name']} are in {options.out}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
