"""The images: their size, their content, and that they contain no secret."""

import re

from tests.docker.compose import Compose

ADDED = 150_000_000  # bytes over the base image, at most
COMPILERS = ("cc", "gcc", "g++", "c++", "clang", "make", "ld", "as", "rustc", "go")


def app(compose: Compose) -> str:
    return compose.environment["SITE_IMAGE"]


def base(compose: Compose) -> str:
    return compose.environment.get("PYTHON_IMAGE", "python:3.13-slim-trixie")


def inside(compose: Compose, script: str) -> str:
    return compose.docker("run", "--rm", "--network", "none", "--entrypoint", "sh", app(compose), "-c", script)


def test_the_image_is_small(compose: Compose, record_property) -> None:
    sizes = [int(image["Size"]) for image in compose.inspect(app(compose), base(compose))]
    record_property("added_bytes", sizes[0] - sizes[1])
    assert 0 < sizes[0] - sizes[1] <= ADDED


def test_it_has_no_compiler_and_no_remains_of_the_installation(compose: Compose) -> None:
    assert inside(compose, f"command -v {' '.join(COMPILERS)} || true") == ""
    left = "find /opt /root /tmp /var -type f \\( -path '*/.cache/*' -o -name '*.whl' \\) 2>/dev/null || true"
    assert inside(compose, left) == ""


def test_it_runs_as_an_unprivileged_user(compose: Compose) -> None:
    for image in compose.inspect(app(compose), compose.environment["SITE_NGINX_IMAGE"]):
        user = image["Config"]["User"].split(":")[0]
        assert int(user) > 0
    # That user cannot change any file of the application.
    assert inside(compose, "find /opt/parley -writable -not -type l | head") == ""


def test_static_files_are_collected_hashed_and_compressed(compose: Compose) -> None:
    names = inside(compose, "ls /opt/parley/static/chat").split()
    assert any(re.fullmatch(r"room\.[0-9a-f]{12}\.js\.gz", name) for name in names)


def test_no_secret_is_in_the_history_or_in_what_docker_inspect_prints(compose: Compose) -> None:
    """Neither the values of this site nor any other key."""
    secrets = [
        compose("exec", "-T", "web", "cat", "/run/secrets/SECRET_KEY"),
        compose("exec", "-T", "postgres", "cat", "/run/secrets/password"),
    ]
    assert all(len(secret) >= 40 for secret in secrets)
    images = [app(compose), compose.environment["SITE_NGINX_IMAGE"]]
    printed = [compose.docker("history", "--no-trunc", image) for image in images]
    printed += [compose.docker("inspect", *images), compose.docker("inspect", *compose.containers())]
    for text in printed:
        assert not any(secret in text for secret in secrets)
        assert not re.search(r"(SECRET_KEY|PASSWORD|DATABASE_URL)=(?!\"\$\()\S", text)
    # Nor in a file of the image.
    assert inside(compose, "cat /run/secrets/* /made/*/* 2>/dev/null || true") == ""
