"""The names of a site: a user, folder or unit of another program, and sites whose names begin alike."""

import pwd
from dataclasses import replace
from pathlib import Path

import pytest

from deploy.preflight.host.names import check_names, check_other_sites
from deploy.preflight.plan import Plan
from tests.preflight.conftest import write

UNITS = "etc/systemd/system"


def test_a_bare_host_has_every_name_free(plan: Plan, root: Path) -> None:
    assert list(check_names(plan, root)) == []


def test_a_user_of_another_program_is_a_stop(plan: Plan, root: Path) -> None:
    daemon = pwd.getpwnam("daemon")
    (found,) = check_names(replace(plan, user="daemon"), root)
    assert found.subject == "user"
    assert f"(uid {daemon.pw_uid}, home {daemon.pw_dir})" in found.sentence


def test_the_user_of_an_interrupted_deployment_is_no_finding(plan: Plan, root: Path) -> None:
    nobody = next(user for user in pwd.getpwall() if user.pw_dir == "/nonexistent")
    assert list(check_names(replace(plan, user=nobody.pw_name), root)) == []


@pytest.mark.parametrize("folder", ["opt/shop", "etc/shop", "var/lib/shop"])
def test_a_folder_of_another_program_is_a_stop(plan: Plan, root: Path, folder: str) -> None:
    (root / folder).mkdir(parents=True)
    assert list(check_names(plan, root)) == []  # an empty one
    write(root / folder / "file", "")
    (found,) = check_names(plan, root)
    assert found.subject == f"folder /{folder}"
    write(root / UNITS / "shop-web.service", "[Unit]\nDescription=shop: HTTP server for pages\n")
    assert list(check_names(plan, root)) == []  # of an interrupted deployment


def test_a_unit_of_another_program_is_a_stop(plan: Plan, root: Path) -> None:
    unit = root / UNITS / "shop-web.service"
    write(unit, "[Unit]\nDescription=shop: HTTP server for pages\n")
    assert list(check_names(plan, root)) == []  # of an interrupted deployment
    write(unit, "[Unit]\nDescription=The old shop\n")
    (found,) = check_names(plan, root)
    assert "shop-web.service" in found.sentence


@pytest.mark.parametrize("other", ["shop-eu", "sho"])
def test_a_site_whose_name_begins_alike_is_a_stop(plan: Plan, root: Path, other: str) -> None:
    (root / UNITS / f"{other}-.service.d").mkdir(parents=True)
    name = "sho-p" if other == "sho" else plan.name
    (found,) = check_other_sites(replace(plan, name=name), root)
    assert found.sentence.startswith(f"The host has a site {other},")


def test_other_sites_are_no_finding(plan: Plan, root: Path) -> None:
    for other in ("shop", "shopping", "parley", "sho"):
        (root / UNITS / f"{other}-.service.d").mkdir(parents=True)
    assert list(check_other_sites(plan, root)) == []


def test_the_names_of_a_site_that_is_on_the_host_are_its_own(plan: Plan, root: Path) -> None:
    (root / "opt/shop/releases").mkdir(parents=True)
    write(root / "etc/shop/shop.env", "")
    assert list(check_names(replace(plan, user="daemon"), root)) == []
