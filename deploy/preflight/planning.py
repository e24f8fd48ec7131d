"""Makes the plan of a deployment on the operator's machine: `make_plan`."""

import importlib
import re
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from deploy.preflight.plan import Plan
from deploy.release import KEPT_RELEASES
from deploy.site_context import SiteContext, list_unit_files

TARGETS = Path(__file__).resolve().parent.parent.parent / "nginx" / "targets" / "host"
LISTEN = re.compile(r"^\s*listen (?:127\.0\.0\.1:)?(\d+)\b", re.MULTILINE)
PUBLIC_AUTHORITY = "acme-v02.api.letsencrypt.org"
HTTPS_PORT, POSTGRES_PORT = 443, 5432


def make_plan(site: SiteContext, variables: Mapping[str, Any]) -> Plan:
    """Return the plan of a site.

    Args:
        site: SiteContext of deploy/site_context.py.
        variables: the variables of the playbook that `variables.check_variables` takes.
    """
    authority = urlsplit(variables["site_acme_directory"])
    database = str(variables["site_database_url"])
    units = [file["path"] for file in list_unit_files(site)]
    return Plan(
        name=site["name"],
        user=site["user"],
        domain=site["domain"],
        root=site["root"],
        folders=tuple(path for path in (site["etc"], site["state"]) if path),
        units=tuple(path for path in units if path.startswith("/etc/systemd/system/") and ".d/" not in path),
        ports=tuple(sorted({*find_ports(), *site["ports"]})),
        authority=f"{authority.hostname}:{authority.port or HTTPS_PORT}" if authority.hostname else "",
        authority_is_public=authority.hostname == PUBLIC_AUTHORITY,
        has_proxy=bool(split_words(variables.get("site_trusted_proxies"))),
        package_index=find_package_index(),
        uses_postgres=bool(site["database"]) and not database,
        database_host=find_database_host(database),
        kept_releases=KEPT_RELEASES,
        accepted=tuple(str(word) for word in split_words(variables.get("site_accept", ""))),
    )


def find_ports() -> set[int]:
    """Return the TCP ports at which nginx listens on every host: those of nginx/targets/host/."""
    text = "\n".join(file.read_text() for file in sorted(TARGETS.glob("*.conf")))
    return {int(port) for port in LISTEN.findall(text)}


def find_package_index() -> str:
    """Return HOST:PORT of pip's own default index, as this interpreter's pip knows it; "" without pip."""
    with suppress(ImportError, AttributeError):
        return f"{importlib.import_module('pip._internal.models.index').PyPI.netloc}:{HTTPS_PORT}"
    return ""


def find_database_host(url: str) -> str:
    """Return HOST:PORT of a database's address; "" where it is empty or leads to a unix socket."""
    with suppress(ValueError):
        parts = urlsplit(url)
        if parts.hostname:
            return f"{parts.hostname}:{parts.port or POSTGRES_PORT}"
    return ""


def split_words(value: Any) -> list[str]:
    """Return the words of a list, or of a text with commas."""
    words = value if isinstance(value, list) else str(value or "").split(",")
    return [str(word).strip() for word in words if str(word).strip()]
