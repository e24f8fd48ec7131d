"""The files of nginx/ agree with each other and with the programs behind them."""

import base64
import hashlib
import json
import re
import runpy
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from subprocess import CompletedProcess

import pytest
from django.conf import settings
from django.core.files.base import ContentFile
from rest_framework.exceptions import Throttled
from rest_framework.renderers import JSONRenderer

from channels_realtime.process import PING_INTERVAL_SECONDS
from chat.api.errors import CODES, handle_exception
from config.static import HashedStaticFilesStorage
from deploy.local.layout import Layout
from deploy.local.site import WRITTEN, listen, local_target
from tests.nginx.test_gixy import installed

NGINX = Path(__file__).resolve().parents[2] / "nginx"
SITE = (NGINX / "sites" / "parley.conf").read_text()
FILES = sorted(NGINX.rglob("*.conf"))


def value(name: str, text: str) -> str:
    found = re.findall(rf"^\s*{name}\s+([^;]+);", text, re.M)
    assert len(found) == 1, f"{name} is there {len(found)} times"
    return str(found[0])


def seconds(text: str) -> int:
    number, unit = re.fullmatch(r"(\d+)([smh])", text).groups()  # type: ignore[union-attr]
    return int(number) * {"s": 1, "m": 60, "h": 3600}[unit]


def locations() -> Iterator[tuple[str, str]]:
    for file in FILES:
        yield from re.findall(r"location ([^{]+?) \{\n(.*?)\n    ?\}", file.read_text(), re.S)


@pytest.mark.parametrize("target", ["layout", "host_layout"])
def test_nginx_accepts_the_files(
    target: str, check: Callable[[Layout], CompletedProcess[str]], request: pytest.FixtureRequest
) -> None:
    result = check(request.getfixturevalue(target))
    assert result.returncode == 0, result.stderr
    warnings = [line for line in result.stderr.splitlines() if "[warn]" in line and "http2" not in line]
    assert warnings == []


def test_nginx_accepts_the_files_of_a_container(layout: Layout, tmp_path: Path) -> None:
    folder = installed("docker", tmp_path)
    (folder / "target" / "upstreams-least-conn.conf").unlink()
    # nginx of Debian 12 has no `http2 on`.
    moved = {"http2 on;": "", "/tmp/nginx.pid": f"{folder}/nginx.pid", "/etc/nginx/tls/": f"{layout.tls}/"}
    for file in (folder / "target").iterdir():
        for old, new in moved.items():
            file.write_text(file.read_text().replace(old, new))
    command = ["nginx", "-t", "-p", f"{folder}/", "-c", f"{folder}/nginx.conf"]
    tested = subprocess.run(command, capture_output=True, text=True, check=False)
    assert tested.returncode == 0, tested.stderr


def test_the_local_run_differs_from_a_host_only_in_the_target(layout: Layout) -> None:
    for name in ("nginx.conf", "http.conf", "snippets/tls.conf"):
        assert (layout.nginx / name).read_bytes() == (NGINX / name).read_bytes()
    assert (layout.nginx / "sites" / "site.conf").read_text() == WRITTEN + SITE
    host = {file.name for file in (NGINX / "targets" / "host").iterdir()}
    # Only the host's own files include these; a local run answers to every name, and its sockets can be scraped.
    of_hosts = {"server-name.conf", "trusted-proxies.conf", "metrics.conf", "default-80.conf", "default-443.conf"}
    assert set(local_target(layout, Path("/static"))) == host - of_hosts


def test_nginx_and_django_refuse_the_same_body() -> None:
    assert int(value("client_max_body_size", SITE)) == settings.DATA_UPLOAD_MAX_MEMORY_SIZE


def test_gunicorn_waits_for_a_request_as_long_as_nginx_does() -> None:
    gunicorn = runpy.run_path(str(NGINX.parent / "deploy" / "gunicorn.conf.py"))
    assert (
        seconds(value("proxy_read_timeout", (NGINX / "snippets" / "server.conf").read_text()))
        == gunicorn["graceful_timeout"]
    )


def test_an_idle_socket_stays_open_for_many_pings() -> None:
    socket = (NGINX / "snippets" / "proxy-websocket.conf").read_text()
    assert seconds(value("proxy_read_timeout", socket)) > 10 * PING_INTERVAL_SECONDS
    assert seconds(value("proxy_send_timeout", socket)) > 10 * PING_INTERVAL_SECONDS


def test_nginx_and_the_servers_queue_the_same_number_of_clients() -> None:
    """A shorter queue in front of a longer one would drop handshakes that daphne could have queued."""
    server = (NGINX.parent / "app" / "channels_realtime" / "server.py").read_text()
    backlog = re.search(r"^BACKLOG = (\d+)", server, re.M)[1]  # type: ignore[index]
    files = [NGINX / "targets" / "host" / f"{name}.conf" for name in ("default-80", "default-443")]
    listening = "".join(file.read_text() for file in files) + listen((8443,), "ssl") + listen((8080,))
    lines = re.findall(r"^\s*listen (?!unix:).*", listening, re.M)
    assert len(lines) >= 6
    assert all(f" backlog={backlog};" in line for line in lines)


def test_the_names_that_are_cached_for_good_are_those_that_django_hashes() -> None:
    pattern = re.search(r'"~(\S+)" "public, max-age=31536000, immutable"', (NGINX / "http.conf").read_text())[1]  # type: ignore[index]
    digest = HashedStaticFilesStorage().file_hash("room.js", ContentFile(b"export {};"))
    for name in (f"room.{digest}.js", f"room.min.{digest}.css.map", f"LICENSE.{digest}"):
        assert re.search(pattern, f"/static/chat/{name}"), name
    for name in ("room.js", "jquery.3.7.1.min.js", "staticfiles.json"):
        assert not re.search(pattern, f"/static/chat/{name}"), name


def test_nginxs_errors_have_the_format_of_the_applications_errors() -> None:
    texts = (NGINX / "snippets" / "error-texts.conf").read_text()
    codes = re.search(r"map \$status \$error_code \{(.*?)\}", texts, re.S)[1]  # type: ignore[index]
    assert re.search(rf"\b429 +{CODES[429]};", codes)
    page = re.sub(r"<!--# echo var=\"(\w+)\" -->", "7", (NGINX / "errors" / "page.json").read_text())
    ours = json.loads(page)
    theirs = json.loads(JSONRenderer().render(handle_exception(Throttled(wait=7), {}).data))  # type: ignore[union-attr]
    assert set(theirs["error"]) == set(ours["error"]) - {"request_id"}


def test_only_websockets_may_be_idle_for_long() -> None:
    long = [file.name for file in FILES if re.search(r"proxy_(read|send)_timeout\s+\d+[mh]", file.read_text())]
    assert long == ["proxy-websocket.conf"]


def test_headers_for_the_servers_are_set_in_one_place() -> None:
    """A proxy_set_header in another file would drop all of them there; metrics.conf does that on purpose."""
    setting = [file.name for file in FILES if re.search(r"^\s*proxy_set_header", file.read_text(), re.M)]
    assert sorted(setting) == [
        "metrics.conf",
        "proxy-headers.conf",
        "proxy-websocket.conf",
        "rewrite-ws.conf",
        "upstreams.conf",  # of a project: its metrics are there
    ]
    assert "include snippets/proxy-headers.conf;" in (NGINX / "snippets" / "proxy-websocket.conf").read_text()
    proxying = [body for _, body in locations() if "proxy_pass" in body and "$metrics_socket" not in body]
    assert len(proxying) == 2
    for body in proxying:
        assert re.search(r"include snippets/proxy-(headers|websocket)\.conf;", body)


def test_every_file_that_adds_a_header_includes_the_security_headers() -> None:
    for file in FILES:
        text = file.read_text()
        if "add_header" in text and file.name != "security-headers.conf":
            assert "include snippets/security-headers.conf;" in text, file


@pytest.mark.parametrize("where", ["host", "local"])
def test_the_websocket_upstream_has_one_socket_per_daphne_and_no_keepalive(where: str, layout: Layout) -> None:
    if where == "host":
        text = (NGINX / "targets" / "host" / "upstreams.conf").read_text()
    else:
        text = local_target(layout, Path("/static"))["upstreams.conf"]
    directives = re.sub(r"#.*", "", text)
    ws = re.search(r"upstream ws \{(.*?)\}\n", directives, re.S)[1]  # type: ignore[index]
    assert "least_conn;" in ws
    assert len(re.findall(r"server \"?unix:\S+/ws\d+\.sock", ws)) == 2
    assert "keepalive" not in directives


def test_the_error_page_may_use_its_own_style_and_nothing_else() -> None:
    page = (NGINX / "errors" / "page.html").read_text()
    style = re.findall(r"<style>(.*?)</style>", page, re.S)
    assert len(style) == 1
    digest = base64.b64encode(hashlib.sha256(style[0].encode()).digest()).decode()
    policy = (NGINX / "snippets" / "error-pages.conf").read_text()
    assert f"style-src 'sha256-{digest}'" in policy
    assert "<script" not in page
    assert "style=" not in page
    assert re.findall(r'(?:src|href)="([^"]*)"', page.replace('href="data:', 'data="')) == [""]


def test_the_error_page_has_the_colours_of_the_application() -> None:
    page = (NGINX / "errors" / "page.html").read_text()
    tokens = (NGINX.parent / "app" / "chat" / "static" / "chat" / "tokens.css").read_text()
    light, dark = re.findall(r":root \{(.*?)\}", page, re.S)
    for place, block in enumerate((light, dark)):
        used = re.findall(r"--([a-z-]+): (#[0-9a-f]{6})", block)
        assert len(used) == 8
        for name, colour in used:
            pair = re.search(rf"--{name}: light-dark\((#\w+), (#\w+)\)", tokens)
            assert pair, name
            assert pair[place + 1] == colour, name
