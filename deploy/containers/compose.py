"""The Compose file of one site, rendered from docker/compose.yaml.j2."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from deploy.templates import render_text

DOCKER = Path(__file__).resolve().parent.parent.parent / "docker"
TEMPLATE = "compose.yaml.j2"


@dataclass(frozen=True)
class ComposeProcess:
    """A program of the project that runs beside the servers, in a container of its own."""

    name: str
    """The name of the service."""
    command: str
    """The arguments of docker/entrypoint, as a YAML list."""
    stop_seconds: int
    """Seconds between SIGTERM and SIGKILL."""


@dataclass(frozen=True)
class ComposeSite:
    """What differs between the Compose files of two sites. Texts are inserted as they are: they have to be YAML.

    A text may contain a variable of Compose, such as ${HTTP_PORT:-8080}. `literal` writes a text that may not.
    """

    name: str
    """Names the database, and the user and the folder in the images."""
    compose_project: str
    """Names the Compose project, and with it containers, volumes and networks."""
    introduction: tuple[str, ...]
    """The lines of the comment at the top."""
    target: Literal["app", "project"]
    """The stage of docker/Dockerfile."""
    image: str
    nginx_image: str
    environment: tuple[str, ...]
    """Lines of YAML: the variables of the application's containers."""
    domain: str
    """The site's host names, with commas between them; localhost where it has none."""
    https_port: str
    http_port: str
    python_image: str = "${PYTHON_IMAGE:-python:3.13-slim-trixie}"
    build_arguments: tuple[str, ...] = ()
    """Lines of YAML: arguments of docker/Dockerfile."""
    init_environment: tuple[str, ...] = ()
    """Lines of YAML: variables for `init` alone."""
    secrets: str = "secrets"
    """The volume, or the folder, of the application's secrets."""
    tls: str = "tls"
    """The volume, or the folder, of the certificate."""
    ws_grace: str = "20s"
    database: Literal["postgres", "sqlite", "own"] = "postgres"
    media: bool = False
    """Whether users upload files, which nginx serves."""
    collects_in_image: bool = False
    """Whether the static files are in the image. Otherwise `release` collects them in a volume, which all mount."""
    ports: tuple[int, ...] = ()
    """More ports that serve the same as the https port."""
    processes: tuple[ComposeProcess, ...] = ()
    release_networks: str = "[data]"
    internal: str = "true"
    """Whether the application cannot reach other hosts."""
    egress_comment: tuple[str, ...] = ("Containers in this network cannot reach other hosts.",)
    develops: bool = False
    """Whether there is the profile `dev`, which serves the checkout's own code."""
    watches: bool = False
    """Whether the doctor runs every hour in the profile `observe`."""
    load_image: str = ""
    """The image of the profile `load`; "" for no such profile."""


def literal(text: str) -> str:
    """Return the text as YAML in which Compose replaces no variable."""
    return json.dumps(text).replace("$", "$$")


def render_compose(site: ComposeSite) -> str:
    """Return the file docker/compose.yaml of a site."""
    return render_text((DOCKER / TEMPLATE).read_text(), site=site)
