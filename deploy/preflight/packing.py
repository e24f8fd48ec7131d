"""Checks the variables, makes the plan, and packs the checks of the host: `pack`, on the operator's machine."""

import os
import tempfile
from typing import Any

from deploy.archive import DEPLOY, pack_program
from deploy.manifest import WrongManifest, read_manifest
from deploy.preflight.finding import Packed, stop
from deploy.preflight.planning import make_plan
from deploy.preflight.variables import check_variables, replace_wrong
from deploy.site_context import SiteVariables, WrongSite, build_context, from_fields

CHAT = DEPLOY.parent / "app"
MAIN = "import sys\nfrom deploy.preflight.host.entry import main\nsys.exit(main({plan!r}))\n"
SENT_FILES = ("program.py", "preflight/__init__.py", "preflight/finding.py", "preflight/plan.py", "preflight/host")


def pack(variables: dict[str, Any]) -> Packed:
    """Return the plan, the findings about the variables, and the archive for the host."""
    findings = check_variables(variables)
    usable = replace_wrong(variables, findings)
    given = SiteVariables(domain=usable["site_domain"], ws_instances=int(usable["site_ws_instances"] or 1))
    try:
        fields = usable.get("site_manifest")
        manifest, layout = (from_fields(fields), "project") if fields else (read_manifest(CHAT), "checkout")
        plan = make_plan(build_context(manifest, given, layout), usable)
    except (WrongManifest, WrongSite, ValueError) as error:
        findings.append(stop("site_manifest", f"{str(error).rstrip('.')}.", "Correct stack.toml of the project."))
        return Packed(archive="", plan="", findings=[finding.to_fields() for finding in findings])
    text = plan.to_json()
    handle, path = tempfile.mkstemp(prefix="preflight-", suffix=".zip")
    with os.fdopen(handle, "wb") as file:
        file.write(pack_program([DEPLOY / name for name in SENT_FILES], MAIN.format(plan=text)))
    return Packed(archive=path, plan=text, findings=[finding.to_fields() for finding in findings])
