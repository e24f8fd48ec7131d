"""The variables with which ansible/site.yml deploys a project: `write_variables` makes site-vars.json."""

import json
import os
from pathlib import Path
from typing import TypedDict

from deploy.local.project import (
    ProjectFailed,
    State,
    build_environment,
    install_project,
    path_of,
    read_settings,
    write_secrets,
    write_site_file,
)
from deploy.local.state_folder import claim_state_folder
from deploy.local.steps import Report, ignore_step
from deploy.manifest import Manifest
from deploy.private_file import write_private
from deploy.release_name import make_release_name
from deploy.site_context import build_context, describe_site, to_fields


class Variables(TypedDict):
    """What the playbooks get with `-e @site-vars.json`. ansible/roles/site/defaults/main.yml explains each name."""

    site_manifest: dict[str, object]
    site_domain: str
    site_email: str
    site_secrets: dict[str, str]
    site_version: str
    site_source: str
    site_requirements: str
    site_static_url: str
    site_media_url: str


def write_variables(
    manifest: Manifest, target: Path, *, email: str, version: str, report: Report = ignore_step
) -> Variables:
    """Copy and build a project, and write what the playbooks need to `target`, which only its owner can read.

    Args:
        manifest: completed by `discovery.complete`, with the domain of the site.
        target: the file to write.
        email: where the certificate authority writes.
        version: the name of the release; "": from its content.
        report: is called with what is done now.

    Raises:
        ProjectFailed: the project cannot be built or imported, or a secret of the manifest is not in the environment.
        PackagesNotResolved: a package has no wheel, or two requirements contradict each other.
    """
    missing = [name for name in manifest.secrets if name not in os.environ]
    if missing:
        raise ProjectFailed(f"set the secrets of stack.toml in the environment: {', '.join(missing)}")
    state = State(claim_state_folder(manifest, purpose="host").path)
    install_project(manifest, state, report)
    report("importing it")
    static_url, media_url = read_paths(manifest, state)
    variables = Variables(
        site_manifest=to_fields(manifest),
        site_domain=manifest.domain,
        site_email=email,
        site_secrets={name: os.environ[name] for name in manifest.secrets},
        site_version=version or make_release_name(manifest, state.source, state.requirements),
        site_source=str(state.source),
        site_requirements=str(state.requirements),
        site_static_url=static_url,
        site_media_url=media_url,
    )
    write_private(target, json.dumps(variables, indent=2) + "\n")
    return variables


def read_paths(manifest: Manifest, state: State) -> tuple[str, str]:
    """Return the paths of static and of uploaded files, by the project's own settings.

    Raises:
        ProjectFailed: the settings cannot be imported.
    """
    site = build_context(manifest, {}, "project")
    write_secrets(state, f"sqlite:///{state.var}/database.sqlite3")
    write_site_file(state, describe_site(site, "none"))
    values = {
        "hosts": manifest.domain,
        "url": f"https://{manifest.domain}",
        "redis": f"unix://{site['redis_socket']}",
        "database": f"sqlite:///{state.var}/database.sqlite3",
        "secret": (state.secrets / "SECRET_KEY").read_text(),
    }
    settings = read_settings(state, manifest, build_environment(state, manifest, values, os.environ))
    return path_of(settings["static_url"]), path_of(settings["media_url"])
