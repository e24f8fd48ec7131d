"""`adopt`: examines a project, proposes its stack.toml, and writes that where none exists."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from deploy.adopt.code_checks import check_code, check_models
from deploy.adopt.entry_checks import check_entry
from deploy.adopt.manifest_text import make_name, merge_fields, write_manifest
from deploy.adopt.package_checks import check_packages
from deploy.adopt.page_checks import check_pages
from deploy.adopt.report import Finding, Report, Severity
from deploy.adopt.settings_checks import check_settings
from deploy.adopt.survey import Survey
from deploy.adopt.tree_checks import check_tree
from deploy.discovery import Discovery, discover, merge
from deploy.manifest import MANIFEST_NAME, Manifest, NoManifest, WrongManifest, parse_manifest, read_manifest
from deploy.manifest_rules import is_git_address, split_commit
from deploy.source import ARCHIVE_SUFFIXES, newest_commit, open_address

CHECKS = (check_entry, check_settings, check_pages, check_code, check_models, check_tree)
SHOWN_FACTS = ("name", "root", "settings", "asgi", "wsgi", "requirements", "probe", "home")


@dataclass(frozen=True)
class Place:
    """Where a project is, and where its manifest is or will be."""

    source: Path
    """The folder with the project's files."""
    manifest_folder: Path
    address: str
    """The field `source`: "" where stack.toml is in the project's own folder."""
    name: str
    """What the folder, the repository or the archive is called."""


def adopt(
    address: str,
    *,
    here: Path,
    writes: bool = True,
    overwrites: bool = False,
    resolves: bool = True,
    progress: Callable[[str], None] = lambda _: None,
) -> Report:
    """Examine a project and return what stands between it and its site.

    Args:
        address: a folder, an archive, or a git address, with or without @COMMIT.
        here: the folder that gets stack.toml when the project is no folder.
        writes: whether to write stack.toml, which happens only where none exists.
        overwrites: whether to replace one that exists.
        resolves: whether to ask the index of packages.
        progress: is called with a sentence before each long step.

    Raises:
        WrongSource: there is no such project.
        WrongManifest: stack.toml is wrong, or the folder has no project that can be recognised.
    """
    place = locate(address, here, progress)
    path = place.manifest_folder / MANIFEST_NAME
    existing = _read_existing(place) if not overwrites else None
    manifest = existing or Manifest(name="site", folder=place.manifest_folder, source=place.address)
    progress("Reading the project")
    project = discover(place.source, manifest)
    if project.problems:
        raise WrongManifest(project.problems)
    if not existing:
        manifest = replace(manifest, name=make_name(place.name, project.settings.split(".")[0], project.root))
    survey = Survey(project, merge(manifest, project))
    findings = [finding for check in CHECKS for finding in check(survey)]
    progress("Resolving the packages" if resolves else "Reading the imports")
    checked = check_packages(survey, resolves=resolves)
    findings = sorted({*findings, *checked.findings}, key=_order)
    fields, reasons = merge_fields(findings)
    if existing:
        text, state = path.read_text(), "present"
    else:
        text = write_manifest(manifest.name, _start_fields(place, project) | fields, reasons)
        parse_manifest(text, path)
        state = "written" if writes else "proposed"
        if writes:
            path.write_text(text)
        findings = [replace(each, is_settled=True) if each.field else each for each in findings]
    final = merge(parse_manifest(text, path), project)
    return Report(
        project=address,
        facts={name: _show_fact(getattr(final, name)) for name in SHOWN_FACTS},
        notes=(*project.notes, *checked.notes),
        findings=tuple(findings),
        manifest=text,
        manifest_path=str(path),
        manifest_state=state,
        packages=checked.state,
    )


def locate(address: str, here: Path, progress: Callable[[str], None]) -> Place:
    """Find the project, fetching or unpacking it first where that is necessary.

    Raises:
        WrongSource: there is no such project.
    """
    if is_git_address(address):
        url, commit = split_commit(address)
        progress(f"Fetching {url}")
        commit = commit or newest_commit(url)
        source = f"{url}@{commit}"
        name = url.rstrip("/").removesuffix(".git").rpartition("/")[2]
        return Place(open_address(source, here), here, source, name)
    path = (here / Path(address).expanduser()).resolve()
    if path.name.endswith(ARCHIVE_SUFFIXES) and path.is_file():
        name = next(path.name.removesuffix(suffix) for suffix in ARCHIVE_SUFFIXES if path.name.endswith(suffix))
        return Place(open_address(str(path), here), here, str(path), name)
    try:
        existing = read_manifest(path)
    except NoManifest:
        existing = None
    if existing and existing.source:
        return Place(open_address(existing.source, path), path, existing.source, path.name)
    return Place(open_address(str(path), here), path, "", path.name)


def _read_existing(place: Place) -> Manifest | None:
    try:
        return read_manifest(place.manifest_folder)
    except NoManifest:
        return None


def _start_fields(place: Place, project: Discovery) -> dict[str, Any]:
    """Return the fields that the address of the project needs, and a root that was chosen among several."""
    fields: dict[str, Any] = {"source": place.address} if place.address else {}
    if len(project.roots) > 1 and project.root != ".":
        fields["root"] = project.root
    return fields


def _order(finding: Finding) -> tuple[int, str, str, int, str]:
    order = [Severity.OWNER, Severity.FIELD, Severity.MENDED, Severity.SET, Severity.INFORMATION]
    return order.index(finding.severity), finding.cause, finding.file, finding.line, finding.meaning


def _show_fact(value: object) -> str:
    return ", ".join(value) if isinstance(value, tuple) else str(value)
