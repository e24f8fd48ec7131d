"""Checks whether the names that a site takes on the host are free: user, folders, units, and names of other sites."""

import grp
import pwd
import re
from collections.abc import Iterator
from pathlib import Path

from deploy.preflight.finding import Finding, stop
from deploy.preflight.host.proc import read_text
from deploy.preflight.plan import Plan

UNITS = "etc/systemd/system"
SITE_HOME = "/nonexistent"  # of every user that a deployment creates
OTHER_NAME = "choose another name for the site: name in stack.toml."


def is_installed(plan: Plan, root: Path = Path("/")) -> bool:
    """Return whether a deployment of this site has run on the host before."""
    return below(root, plan.root, "releases").is_dir()


def below(root: Path, *parts: str) -> Path:
    """Return an absolute path of the host below the folder `root`."""
    return root.joinpath(*(part.lstrip("/") for part in parts))


def check_names(plan: Plan, root: Path = Path("/")) -> Iterator[Finding]:
    """Check every name that the site takes."""
    yield from check_other_sites(plan, root)
    # From here on the names are the site's own where it is on the host already.
    if not is_installed(plan, root):
        yield from check_user(plan)
        yield from check_folders(plan, root)
        yield from check_units(plan, root)


def check_other_sites(plan: Plan, root: Path = Path("/")) -> Iterator[Finding]:
    """Check that no other site has a name that begins with this one's, or the other way round.

    A drop-in for NAME-*.service would also apply to the units of a site that is called NAME-something.
    """
    for folder in sorted((root / UNITS).glob("*-.service.d")):
        other = folder.name.removesuffix("-.service.d")
        if other != plan.name and (other.startswith(f"{plan.name}-") or plan.name.startswith(f"{other}-")):
            yield stop(
                "name",
                f"The host has a site {other}, and settings of its units would apply to those of {plan.name}, or the "
                f"other way round.",
                "Choose a name that does not begin like it: name in stack.toml.",
            )


def check_user(plan: Plan) -> Iterator[Finding]:
    """Check that no other program has the user and the group of the site."""
    try:
        user = pwd.getpwnam(plan.user)
    except KeyError:
        try:
            members = grp.getgrnam(plan.user).gr_mem
        except KeyError:
            return
        if members:
            sentence = f"The host has a group {plan.user} already; {', '.join(members)} would read the site's files."
            yield stop("group", sentence, f"Remove the group, or {OTHER_NAME}")
        return
    # A run that was interrupted before the folders were made leaves the user with this home.
    if user.pw_dir != SITE_HOME:
        sentence = f"The host has a user {plan.user} (uid {user.pw_uid}, home {user.pw_dir}) of another program."
        yield stop("user", sentence, f"Rename that user (usermod -l), or {OTHER_NAME}")


def check_folders(plan: Plan, root: Path = Path("/")) -> Iterator[Finding]:
    """Check that the folders of the site are not there, or empty, or left by a deployment that was interrupted."""
    if any(is_own_unit(plan, unit, root) for unit in plan.units):
        return
    for folder in (plan.root, *plan.folders):
        path = below(root, folder)
        if path.exists() and (not path.is_dir() or any(path.iterdir())):
            yield stop(
                f"folder {folder}",
                f"{folder} is there already and is not of this site.",
                f"Move it away if nothing needs it, or {OTHER_NAME}",
            )


def check_units(plan: Plan, root: Path = Path("/")) -> Iterator[Finding]:
    """Check that no unit of another program has the name of one of the site."""
    taken = [Path(unit).name for unit in plan.units if below(root, unit).exists() and not is_own_unit(plan, unit, root)]
    if taken:
        sentence = f"The host has units of another program: {', '.join(taken)}."
        yield stop("units", sentence, f"Remove them, or {OTHER_NAME}")


def is_own_unit(plan: Plan, unit: str, root: Path = Path("/")) -> bool:
    """Return whether a unit is one that a deployment of this site has written."""
    description = re.search(r"^Description=(.*)$", read_text(below(root, unit)), re.MULTILINE)
    return bool(description and description[1].startswith(f"{plan.name}: "))
