"""Causes that the site's pages show already."""

import json

import pytest

from tests.doctor.channels_site import ChannelsSite
from tests.doctor.conftest import StartNginx
from tests.doctor.doctor_command import Doctor

STATIC = "    location /static/ {"


def page(*lines: str) -> dict[str, list[tuple[str, str]]]:
    """nginx itself answers with these locations."""
    return {"sites/site.conf": [(STATIC, "\n".join(lines) + "\n" + STATIC)]}


def test_23_a_redirect_loop(start_nginx: StartNginx, doctor: Doctor, channels_site: ChannelsSite) -> None:
    to_django = {
        "sites/site.conf": [("proxy_pass http://$web_servers;", f"proxy_pass http://unix:{channels_site.socket};")]
    }
    found = doctor(start_nginx(to_django))
    assert (found.hop, found.cause, found.exit_code) == ("redirect", "redirect-loop", 13)


def test_23_the_scheme_is_not_passed_on_to_pages(start_nginx: StartNginx, doctor: Doctor) -> None:
    found = doctor(
        start_nginx({"snippets/proxy-headers.conf": [("X-Forwarded-Proto $scheme", 'X-Forwarded-Proto ""')]})
    )
    assert (found.hop, found.cause) == ("redirect", "redirect-loop")


def test_22_http_does_not_lead_to_https(start_nginx: StartNginx, doctor: Doctor) -> None:
    found = doctor(
        start_nginx({"sites/site.conf": [("return 308 https://$host$https_port$request_uri;", "return 200 hello;")]})
    )
    assert "200" in found.warnings["http-does-not-lead-to-https"]
    assert found.exit_code == 0


def test_20_the_wrong_server_block_answers(start_nginx: StartNginx, doctor: Doctor) -> None:
    found = doctor(start_nginx(page("if ($host != 'other.example') { return 444; }")))
    assert (found.hop, found.cause, found.exit_code) == ("HTTP", "wrong-server-block", 14)


def test_0_the_page_fails(start_nginx: StartNginx, doctor: Doctor) -> None:
    found = doctor(start_nginx(page("location = / { return 500 'a traceback'; }")))
    assert (found.hop, found.cause) == ("HTTP", "page-fails")


def test_0_nginx_fails(start_nginx: StartNginx, doctor: Doctor) -> None:
    found = doctor(start_nginx(page("location = / { return 500; }")))
    assert (found.hop, found.cause) == ("HTTP", "nginx-fails")


def readiness(**parts: object) -> str:
    """A location in which /readyz answers with these parts beside those that are ok."""
    return (
        f"location = /readyz {{ default_type application/json; return 200 '{json.dumps({'ready': False} | parts)}'; }}"
    )


def test_0_a_disk_is_full(start_nginx: StartNginx, doctor: Doctor) -> None:
    """The database of a full disk fails as well, and the page with it."""
    answer = readiness(
        disk="OSError: 0 of 20000 MiB are free at /var/lib/postgresql", database="OperationalError: away"
    )
    found = doctor(start_nginx(page(answer, "location = / { return 503; }")))
    assert (found.hop, found.cause, found.exit_code) == ("HTTP", "disk-is-full", 14)
    assert "at /var/lib/postgresql" in found.evidence


def test_0_a_disk_is_nearly_full(start_nginx: StartNginx, doctor: Doctor) -> None:
    found = doctor(start_nginx(page(readiness(warnings=["900 of 20000 MiB are free at /var"]))))
    assert found.warnings["disk-is-nearly-full"].strip() == "/readyz: 900 of 20000 MiB are free at /var"
    assert found.exit_code == 0


@pytest.mark.parametrize("status", [500, 503])
def test_0_the_page_has_no_database(start_nginx: StartNginx, doctor: Doctor, status: int) -> None:
    answer = readiness(database="OperationalError: connection refused")
    found = doctor(start_nginx(page(answer, f"location = / {{ return {status} 'no page'; }}")))
    assert (found.hop, found.cause) == ("HTTP", "page-has-no-database")
    assert "connection refused" in found.evidence


def test_0_pages_are_closed(start_nginx: StartNginx, doctor: Doctor) -> None:
    found = doctor(start_nginx(page("location = / { return 503; }")))
    assert (found.hop, found.cause) == ("HTTP", "pages-are-closed")


def test_13_gunicorn_is_down(start_nginx: StartNginx, doctor: Doctor) -> None:
    found = doctor(start_nginx({"target/upstreams.conf": [("web.sock", "gone.sock")]}))
    assert (found.hop, found.cause) == ("HTTP", "gunicorn-is-down")


def test_4_the_host_is_not_allowed(start_nginx: StartNginx, doctor: Doctor) -> None:
    found = doctor(start_nginx({"snippets/proxy-headers.conf": [("Host $host$asked_port", "Host not/a/name")]}))
    assert (found.hop, found.cause) == ("HTTP", "host-is-not-allowed")


def test_21_the_script_says_ws(start_nginx: StartNginx, doctor: Doctor) -> None:
    script = """location = /chat.js { return 200 "let s;\ns = new WebSocket('ws://' + location.host + '/ws/');"; }"""
    site = page("location = / { return 200 '<title>x</title><script src=\"/chat.js\"></script>'; }", script)
    found = doctor(start_nginx(site))
    assert (found.hop, found.cause) == ("HTTP", "script-says-ws")
    assert "/chat.js:2" in found.evidence


def test_21_the_policy_forbids_the_socket(start_nginx: StartNginx, doctor: Doctor) -> None:
    policy = "add_header Content-Security-Policy \"default-src 'self'; connect-src https://api.example\";"
    found = doctor(start_nginx(page("location = / { " + policy + " return 200 x; }")))
    assert (found.hop, found.cause) == ("HTTP", "policy-forbids-the-socket")


def test_40_the_clock_is_wrong(start_nginx: StartNginx, doctor: Doctor) -> None:
    late = 'add_header Date "Sat, 01 Jan 2022 00:00:00 GMT";'
    found = doctor(start_nginx(page("location = / { " + late + " return 200 x; }")))
    assert (found.hop, found.cause) == ("HTTP", "clock-is-wrong")
