"""What nginx does with requests: which server gets them, with which headers, and which it refuses."""

import json
import socket
import ssl
import subprocess

import pytest
from django.conf import settings

from tests.nginx.served import Nginx, unverified_context

FORGED = {
    "X-Forwarded-For": "203.0.113.9",
    "X-Forwarded-Proto": "http",
    "X-Forwarded-Host": "evil.example",
    "X-Forwarded-Port": "1",
    "X-Real-IP": "203.0.113.9",
    "X-Request-ID": "mine",
    "Forwarded": "for=203.0.113.9",
}


@pytest.mark.parametrize("path", ["/", "/accounts/login/", "/ws/", "/ws/chat/harbour/"])
def test_the_headers_that_describe_the_client_are_overwritten(nginx: Nginx, path: str) -> None:
    host = f"chat.example:{nginx.layout.https_port}"
    answer = nginx.ask(path, headers=FORGED | {"Host": host})
    seen = {name.lower(): value for name, value in answer.json["headers"].items()}
    assert seen["x-forwarded-for"] == "127.0.0.1"
    assert seen["x-forwarded-proto"] == "https"
    assert seen["host"] == host
    assert seen["x-request-id"] == answer.headers["X-Request-ID"] != "mine"
    assert not {"x-forwarded-host", "x-forwarded-port", "x-real-ip", "forwarded"} & set(seen)


def test_pages_go_to_gunicorn_and_sockets_to_daphne(nginx: Nginx) -> None:
    assert nginx.ask("/rooms/harbour/?page=2").json["by"] == "web"
    assert nginx.ask("/rooms/harbour/?page=2").json["path"] == "/rooms/harbour/?page=2"
    seen = nginx.ask("/ws/chat/harbour/").json
    assert seen["by"] in {"ws1", "ws2"}
    assert seen["path"] == "/ws/chat/harbour/"


def test_a_handshake_reaches_daphne_with_its_headers(nginx: Nginx) -> None:
    answer = nginx.handshake(**FORGED)
    assert answer.status == 101
    seen = json.loads(answer.headers["X-Seen"])["headers"]
    assert seen["Upgrade"] == "websocket"
    assert seen["Connection"] == "upgrade"
    assert seen["X-Forwarded-For"] == "127.0.0.1"


def test_only_a_client_of_http11_gets_an_upgrade_header(nginx: Nginx) -> None:
    """An Upgrade header is a protocol error in HTTP/2; a browser that opens /ws/ as a page would show nothing."""
    assert nginx.handshake().headers["Upgrade"] == "websocket"
    assert nginx.ask("/ws/").headers["Upgrade"] == "websocket"
    command = ["curl", "--silent", "--insecure", "--http2", "--include", f"{nginx.url}/ws/"]
    answer = subprocess.run(command, capture_output=True, text=True, check=True).stdout.lower()
    assert answer.startswith("http/2 426")
    assert "\nupgrade:" not in answer


def test_an_upgrade_is_offered_to_daphne_alone(nginx: Nginx) -> None:
    seen = nginx.handshake("/").json
    assert seen["by"] == "web"
    assert "Upgrade" not in seen["headers"]
    assert seen["headers"]["Connection"] == "close"


def test_handshakes_go_on_with_one_daphne_dead(nginx: Nginx) -> None:
    nginx.upstreams["ws1"].end()
    answers = [nginx.handshake() for _ in range(10)]
    assert [answer.status for answer in answers] == [101] * 10
    assert {json.loads(answer.headers["X-Seen"])["by"] for answer in answers} == {"ws2"}


def test_http_is_redirected_to_https_with_port_path_and_query(nginx: Nginx) -> None:
    answer = nginx.ask("/rooms/harbour/?page=2", plain=True, headers={"Host": "chat.example:8080"})
    assert answer.status == 308
    assert answer.headers["Location"] == f"https://chat.example:{nginx.layout.https_port}/rooms/harbour/?page=2"


def test_http_at_the_https_port_is_redirected_too(nginx: Nginx) -> None:
    port = nginx.layout.https_port
    answer = nginx.ask("/?a=1", plain=True, port=port, headers={"Host": f"chat.example:{port}"})
    assert answer.status == 308
    assert answer.headers["Location"] == f"https://chat.example:{port}/?a=1"


def test_a_body_over_the_limit_does_not_reach_the_application(nginx: Nginx) -> None:
    limit = settings.DATA_UPLOAD_MAX_MEMORY_SIZE
    assert nginx.ask("/api/rooms/", method="POST", body=b"x" * limit).status == 200
    assert nginx.ask("/api/rooms/", method="POST", body=b"x" * (limit + 1)).status == 413


def test_http2_is_offered_and_http11_stays_for_sockets(nginx: Nginx) -> None:
    def agreed(*offers: str) -> str | None:
        plain = socket.create_connection(("127.0.0.1", nginx.layout.https_port), timeout=5)
        with unverified_context(*offers).wrap_socket(plain, server_hostname="localhost") as tls:
            return tls.selected_alpn_protocol()

    assert agreed("h2", "http/1.1") == "h2"
    assert agreed("http/1.1") == "http/1.1"


# --- static files


def test_only_a_file_with_a_hash_in_its_name_is_cached_for_good(nginx: Nginx) -> None:
    hashed, plain = nginx.ask("/static/room.0123456789ab.js"), nginx.ask("/static/room.js")
    assert hashed.headers["Cache-Control"] == "public, max-age=31536000, immutable"
    assert "immutable" not in plain.headers["Cache-Control"]
    for answer in (hashed, plain):
        assert answer.status == 200
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert answer.headers["Content-Type"] == "application/javascript; charset=utf-8"


def test_the_compressed_copy_is_sent_to_clients_that_accept_it(nginx: Nginx) -> None:
    copy = nginx.layout.var.parent / "static" / "room.js.gz"
    copy.write_bytes(b"the copy")
    try:
        answer = nginx.ask("/static/room.js", headers={"Accept-Encoding": "gzip"})
        assert (answer.body, answer.headers["Content-Encoding"]) == (b"the copy", "gzip")
        assert nginx.ask("/static/room.js").body == b"export {};\n"
        assert "Accept-Encoding" in answer.headers["Vary"]
    finally:
        copy.unlink()


def test_a_missing_static_file_does_not_reach_the_application(nginx: Nginx) -> None:
    answer = nginx.ask("/static/absent.js")
    assert answer.status == 404
    assert nginx.logged(answer)["upstream"] == ""


def test_nothing_above_the_static_files_is_served(nginx: Nginx) -> None:
    for path in ("/static/../tls/privkey.pem", "/static/%2e%2e/tls/privkey.pem", "/static../var/tls/privkey.pem"):
        assert b"PRIVATE KEY" not in nginx.ask(path).body


# --- limits


@pytest.mark.parametrize(
    "path",
    [
        "/accounts/login/",
        "/accounts/signup/",
        "/guest/",
        "/admin/login/",
        "/api/auth/login/",
        "/api/auth/guest/",
        "/_allauth/app/v1/auth/login",
    ],
)
def test_too_many_sign_ins_are_refused_with_429(nginx: Nginx, neighbour: str, path: str) -> None:
    answers = [nginx.ask(path, method="POST", body=b"", address=neighbour) for _ in range(80)]
    statuses = [answer.status for answer in answers]
    assert statuses[:60] == [200] * 60
    assert statuses[-1] == 429
    assert answers[-1].headers["Retry-After"] == "10"
    assert {nginx.ask(path, address=neighbour).status for _ in range(80)} == {200}  # GET is not limited
    line = nginx.logged(answers[-1])
    assert (line["status"], line["limit_req"]) == ("429", "REJECTED")
    assert (line["method"], line["client"]) == ("POST", neighbour)


def test_too_many_handshakes_are_refused_with_429_and_json(nginx: Nginx, neighbour: str) -> None:
    answers = (nginx.handshake(address=neighbour) for _ in range(2000))
    count, refused = next((n, answer) for n, answer in enumerate(answers) if answer.status != 101)
    assert count >= 200  # an office may reconnect all at once
    assert refused.status == 429
    error = refused.json["error"]
    assert error["code"] == "rate_limited"
    assert error["retry_after"] == 10
    assert error["request_id"] == refused.headers["X-Request-ID"]


def test_clients_on_the_machine_are_not_limited(nginx: Nginx) -> None:
    assert {nginx.ask("/accounts/login/", method="POST", body=b"").status for _ in range(80)} == {200}
    assert {nginx.handshake().status for _ in range(240)} == {101}


# --- when the application is down


def test_a_browser_gets_an_error_page_that_needs_no_other_file(nginx: Nginx) -> None:
    nginx.upstreams["web"].end()
    answer = nginx.ask("/rooms/harbour/", headers={"Host": "chat.example.org"})
    assert answer.status == 502
    page = answer.body.decode()
    assert "<h1>This site is not available right now</h1>" in page
    assert "</span>chat.example.org</p>" in page
    assert "· chat.example.org</title>" in page
    assert "This page reloads by itself." in page
    assert answer.headers["X-Request-ID"] in page
    assert "<!--" not in page
    assert answer.headers["Refresh"] == "5"
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.headers["Content-Security-Policy"].startswith("default-src 'none'; style-src 'sha256-")


@pytest.mark.parametrize(("path", "dead"), [("/api/rooms/", ["web"]), ("/ws/", ["ws1", "ws2"])])
def test_a_program_gets_its_error_as_json(nginx: Nginx, path: str, dead: list[str]) -> None:
    for name in dead:
        nginx.upstreams[name].end()
    answer = nginx.ask(path)
    assert answer.status == 502
    assert answer.headers["Content-Type"] == "application/json; charset=utf-8"
    assert answer.json["error"]["code"] == "unavailable"
    assert "Refresh" not in answer.headers


def test_the_error_page_has_no_address_of_its_own(nginx: Nginx) -> None:
    assert nginx.ask("/_error/page.html").status == 404


# --- the log


def test_each_request_is_one_json_line_without_its_query(nginx: Nginx) -> None:
    answer = nginx.ask('/rooms/"quoted"/?token=secret', headers={"User-Agent": 'a "quoted\\ agent'})
    line = nginx.logged(answer)
    assert line["path"] == '/rooms/"quoted"/'
    assert line["agent"] == 'a "quoted\\ agent'
    assert line["upstream"] == f"unix:{nginx.layout.socket('web')}"
    assert (line["status"], line["upstream_status"], line["method"]) == ("200", "200", "GET")
    assert float(line["upstream_seconds"]) >= 0
    assert "secret" not in json.dumps(line)


def test_bytes_that_are_not_ascii_do_not_break_the_log(nginx: Nginx) -> None:
    for sent in (b"GET /\xfc HTTP/1.1", b"\xfc / HTTP/1.1"):
        plain = socket.create_connection(("127.0.0.1", nginx.layout.https_port), timeout=5)
        with unverified_context().wrap_socket(plain) as tls:
            tls.sendall(sent + b"\r\nHost: localhost\r\nUser-Agent: \xfc\r\nConnection: close\r\n\r\n")
            while tls.recv(65536):
                pass
    line = nginx.logged(nginx.ask("/", headers={"User-Agent": "\xfc", "Host": "\xfc"}))
    assert (line["agent"], line["host"]) == ("(not ASCII)", "(not ASCII)")
    lines = map(json.loads, (nginx.layout.log / "access.log").read_text().splitlines())
    assert ("GET", "(not ASCII)") in [(line["method"], line["path"]) for line in lines]


# --- the host


def test_a_host_knows_only_its_own_name(host_nginx: Nginx) -> None:
    layout = host_nginx.layout
    ours = host_nginx.ask("/x", plain=True, headers={"Host": "parley.example.org"})
    assert (ours.status, ours.headers["Location"]) == (308, "https://parley.example.org/x")
    with pytest.raises(OSError, match=r"closed connection|reset"):
        host_nginx.ask("/", plain=True, headers={"Host": "evil.example"})

    for name, welcome in (("parley.example.org", True), ("evil.example", False), (None, False)):
        plain = socket.create_connection(("127.0.0.1", layout.https_port), timeout=5)
        if welcome:
            with unverified_context().wrap_socket(plain, server_hostname=name) as tls:
                tls.sendall(b"GET / HTTP/1.1\r\nHost: parley.example.org\r\nConnection: close\r\n\r\n")
                answer = b"".join(iter(lambda: tls.recv(65536), b"")).decode()
            assert answer.startswith("HTTP/1.1 200")
            assert answer.count("Strict-Transport-Security") == 1
            assert "Strict-Transport-Security: max-age=63072000\r\n" in answer
        else:
            with pytest.raises(ssl.SSLError):
                unverified_context().wrap_socket(plain, server_hostname=name)


def test_a_site_under_maintenance_is_open_to_clients_on_the_machine(host_nginx: Nginx, neighbour: str) -> None:
    site = f"parley.example.org:{host_nginx.layout.https_port}"
    maintenance = host_nginx.layout.var / "maintenance"

    def seen(path: str, address: str) -> str:
        curl = ["curl", "--silent", "--insecure", "--resolve", f"{site}:{address}", "--write-out", "%{http_code}"]
        return subprocess.run([*curl, f"https://{site}{path}"], capture_output=True, text=True, check=True).stdout

    assert seen("/", neighbour).endswith("200")
    maintenance.touch()
    try:
        assert "This site is not available right now" in seen("/", neighbour)
        assert {seen(path, neighbour)[-3:] for path in ("/", "/static/room.js", "/ws/", "/api/rooms/")} == {"503"}
        assert {seen(path, "127.0.0.1")[-3:] for path in ("/", "/static/room.js")} == {"200"}
    finally:
        maintenance.unlink()
    assert seen("/", neighbour).endswith("200")


def test_a_local_run_does_not_require_https_of_localhost(nginx: Nginx) -> None:
    assert "Strict-Transport-Security" not in nginx.ask("/").headers
