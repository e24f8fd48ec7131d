"""The nginx server block of one site, rendered from nginx/sites/site.conf.j2."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from deploy.local.project import Settings, path_of
from deploy.manifest import Manifest
from deploy.site_name import CHAT as CHAT_NAME
from deploy.templates import render_text

NGINX = Path(__file__).resolve().parent.parent / "nginx"
TEMPLATE = "sites/site.conf.j2"
CHAT_SITE_FILE = NGINX / "sites" / f"{CHAT_NAME}.conf"


@dataclass(frozen=True)
class NginxSite:
    """What differs between the server blocks of two sites. Addresses, certificates and folders are in target/."""

    upload_size: str
    """The largest request body, in nginx's notation: bytes, or a number with k, m or g."""
    upload_comment: str = ""
    websocket: Literal["upgrade"] | tuple[str, ...] = "upgrade"
    """Which requests go to daphne: every handshake, or those to paths with one of these prefixes."""
    asgi_http: Literal["all"] | tuple[str, ...] = ()
    """Which other requests go to daphne: all, or those to paths with one of these prefixes."""
    static_url: str = "/static/"
    """The path of the static files; "" where another site serves them."""
    media_url: str = ""
    """The path of uploaded files; "" where nginx does not serve them."""
    page_headers: bool = True
    """Whether browsers are asked to open ws:// and http:// addresses of the pages as wss:// and https://."""
    rewrites_ws: bool = False
    """Whether nginx itself rewrites ws:// in the pages: in a local run, whose name is localhost."""
    target: str = "target"
    """The folder of the files that differ between places, beside nginx.conf. On a host each project has its own."""
    web_upstream: str = "$web_servers"
    ws_upstream: str = "$ws_servers"


CHAT = NginxSite(
    upload_size="2621440",
    upload_comment="Bytes: 2.5 MiB, the same as Django's DATA_UPLOAD_MAX_MEMORY_SIZE (tests/nginx compares them).",
    websocket=("/ws/",),
    page_headers=False,  # the chat's own policy allows wss:// and https:// only
)


def describe_nginx(manifest: Manifest, settings: Settings, *, rewrites_ws: bool) -> NginxSite:
    """Return what nginx's server block of a project contains."""
    return NginxSite(
        upload_size=manifest.upload_size,
        websocket=manifest.websocket,
        asgi_http=manifest.asgi_http,
        static_url=path_of(settings["static_url"]),
        media_url=path_of(settings["media_url"]) if manifest.media else "",
        page_headers=manifest.upgrade_insecure_requests,
        rewrites_ws=rewrites_ws,
    )


def render_nginx_site(site: NginxSite) -> str:
    """Return the file nginx/sites/NAME.conf of a site."""
    return render_text((NGINX / TEMPLATE).read_text(), site=site)


if __name__ == "__main__":
    CHAT_SITE_FILE.write_text(render_nginx_site(CHAT))
