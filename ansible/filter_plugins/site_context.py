"""Filters that build the context `site` of the templates, by the same functions as deploy/render.py."""

import base64
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

CHECKOUT = Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(CHECKOUT))

from deploy.manifest import WrongManifest, read_manifest  # noqa: E402
from deploy.nginx_host import (  # noqa: E402
    TextFile,
    convert_former,
    find_neighbours,
    list_files,
    list_unused_files,
    main_file,
)
from deploy.render import render_units  # noqa: E402
from deploy.site_context import (  # noqa: E402
    SiteContext,
    WrongSite,
    build_context,
    describe_site,
    from_fields,
    list_unit_files,
)


def to_site_context(variables: dict[str, Any], manifest: dict[str, Any]) -> SiteContext:
    """Return the context of a site.

    Args:
        variables: SiteVariables of deploy/site_context.py.
        manifest: the fields of a project's manifest; empty: the chat of this checkout.

    Raises:
        ValueError: the manifest or a variable cannot be used. Ansible prints the text.
    """
    # Ansible's strings are of a class of their own.
    given, fields = json.loads(json.dumps([variables, manifest]))
    try:
        if fields:
            return build_context(from_fields(fields), given, "project")
        return build_context(read_manifest(CHECKOUT / "app"), given, "checkout")
    except (WrongManifest, WrongSite, ValueError) as error:
        raise ValueError(str(error)) from None


def list_nginx_files(site: SiteContext, ports: list[int], has_post_quantum: bool) -> list[TextFile]:
    """Return the files of nginx on the host of a site."""
    return list_files(site, ports=ports, has_post_quantum=has_post_quantum)


def convert_former_files(files: list[dict[str, Any]]) -> list[TextFile]:
    """Return the present form of files that ansible.builtin.slurp has read."""
    return [convert_former(file["source"], base64.b64decode(file["content"]).decode()) for file in files]


class FilterModule:
    """What Ansible finds in this file."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """Return the filters by their names."""
        return {
            "site_context": to_site_context,
            "unit_files": list_unit_files,
            "unit_texts": render_units,
            "site_description": describe_site,
            "nginx_files": list_nginx_files,
            "nginx_unused_files": list_unused_files,
            "nginx_neighbours": find_neighbours,
            "nginx_main_file": main_file,
            "nginx_converted": convert_former_files,
        }
