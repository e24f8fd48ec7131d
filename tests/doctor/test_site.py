"""Rows of the catalogue that show on pages already."""

from tests.doctor.conftest import Fronted
from tests.doctor.patient import Doctor
from tests.doctor.tutorial import Tutorial

STATIC = "    location /static/ {"


def page(*lines: str) -> dict[str, list[tuple[str, str]]]:
    """nginx answers these itself."""
    return {"sites/parley.conf": [(STATIC, "\n".join(lines) + "\n" + STATIC)]}


def test_23_a_redirect_loop(front: Fronted, doctor: Doctor, tutorial: Tutorial) -> None:
    to_django = {
        "sites/parley.conf": [("proxy_pass http://$web_servers;", f"proxy_pass http://unix:{tutorial.socket};")]
    }
    found = doctor(front(to_django))
    assert (found.hop, found.cause, found.code) == ("redirect", "redirect-loop", 13)


def test_23_the_scheme_is_not_passed_on_to_pages(front: Fronted, doctor: Doctor) -> None:
    found = doctor(front({"snippets/proxy-headers.conf": [("X-Forwarded-Proto $scheme", 'X-Forwarded-Proto ""')]}))
    assert (found.hop, found.cause) == ("redirect", "redirect-loop")


def test_22_http_does_not_lead_to_https(front: Fronted, doctor: Doctor) -> None:
    found = doctor(
        front({"sites/parley.conf": [("return 308 https://$host$https_port$request_uri;", "return 200 hello;")]})
    )
    assert "200" in found.warnings["http-does-not-lead-to-https"]
    assert found.code == 0


def test_20_the_wrong_server_block_answers(front: Fronted, doctor: Doctor) -> None:
    found = doctor(front(page("if ($host != 'other.example') { return 444; }")))
    assert (found.hop, found.cause, found.code) == ("HTTP", "wrong-server-block", 14)


def test_0_the_page_fails(front: Fronted, doctor: Doctor) -> None:
    found = doctor(front(page("location = / { return 500 'a traceback'; }")))
    assert (found.hop, found.cause) == ("HTTP", "page-fails")


def test_0_nginx_fails(front: Fronted, doctor: Doctor) -> None:
    found = doctor(front(page("location = / { return 500; }")))
    assert (found.hop, found.cause) == ("HTTP", "nginx-fails")


def test_0_pages_are_closed(front: Fronted, doctor: Doctor) -> None:
    found = doctor(front(page("location = / { return 503; }")))
    assert (found.hop, found.cause) == ("HTTP", "pages-are-closed")


def test_13_gunicorn_is_down(front: Fronted, doctor: Doctor) -> None:
    found = doctor(front({"target/upstreams.conf": [("web.sock", "gone.sock")]}))
    assert (found.hop, found.cause) == ("HTTP", "gunicorn-is-down")


def test_4_the_host_is_not_allowed(front: Fronted, doctor: Doctor) -> None:
    found = doctor(front({"snippets/proxy-headers.conf": [("Host $host$asked_port", "Host not/a/name")]}))
    assert (found.hop, found.cause) == ("HTTP", "host-is-not-allowed")


def test_21_the_script_says_ws(front: Fronted, doctor: Doctor) -> None:
    script = """location = /chat.js { return 200 "let s;\ns = new WebSocket('ws://' + location.host + '/ws/');"; }"""
    site = page("location = / { return 200 '<title>x</title><script src=\"/chat.js\"></script>'; }", script)
    found = doctor(front(site))
    assert (found.hop, found.cause) == ("HTTP", "script-says-ws")
    assert "/chat.js:2" in found.evidence


def test_21_the_policy_forbids_the_socket(front: Fronted, doctor: Doctor) -> None:
    policy = "add_header Content-Security-Policy \"default-src 'self'; connect-src https://api.example\";"
    found = doctor(front(page("location = / { " + policy + " return 200 x; }")))
    assert (found.hop, found.cause) == ("HTTP", "policy-forbids-the-socket")


def test_40_the_clock_is_wrong(front: Fronted, doctor: Doctor) -> None:
    late = 'add_header Date "Sat, 01 Jan 2022 00:00:00 GMT";'
    found = doctor(front(page("location = / { " + late + " return 200 x; }")))
    assert (found.hop, found.cause) == ("HTTP", "clock-is-wrong")
