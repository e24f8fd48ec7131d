"""nginx/sites/site.conf.j2 renders the server block of every site; the chat's, sites/parley.conf, is committed."""

import subprocess
from pathlib import Path

import pytest

from deploy.local import certificate, site
from deploy.local.layout import Layout
from deploy.nginx_site import CHAT, CHAT_SITE_FILE, NginxSite, render_nginx_site
from tests.nginx.served import free_ports

SITES = {
    "the chat": CHAT,
    "a project that says nothing": NginxSite(upload_size="10m"),
    "a project with every field": NginxSite(
        upload_size="1g",
        upload_comment="Films.",
        websocket=("/ws/", "/live"),
        asgi_http=("/dpd/", "/stream/"),
        static_url="/assets/static/",
        media_url="/uploads/",
        page_headers=True,
        rewrites_ws=True,
    ),
    "a project without WSGI": NginxSite(upload_size="10m", asgi_http="all", static_url="", media_url=""),
}


def test_the_chats_file_is_what_the_template_renders() -> None:
    """After a change of the template: python -m deploy.nginx_site."""
    assert CHAT_SITE_FILE.read_text() == render_nginx_site(CHAT)


@pytest.mark.parametrize("name", SITES)
def test_nginx_accepts_the_file(name: str, tmp_path: Path) -> None:
    https, http, more = free_ports(3)
    layout = Layout(var=tmp_path / "var", env_file=tmp_path / ".env", https_port=https, http_port=http)
    layout.make_folders()
    certificate.renew(layout)
    site.assemble(
        layout, static_root=tmp_path / "static", site=SITES[name], media_root=tmp_path / "media", ports=(more,)
    )
    tested = subprocess.run([*site.command(layout), "-t"], capture_output=True, text=True, check=False)
    assert tested.returncode == 0, tested.stderr
    assert "[warn]" not in tested.stderr
