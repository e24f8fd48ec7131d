"""The first administrator of an empty site is created on a page, once, by one visitor."""

import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from django.contrib.auth import get_user
from django.test import Client

from accounts.first_run import FirstAdministratorForm, create_first_administrator
from accounts.guests import make_guest
from accounts.models import User
from tests.conftest import PASSWORD
from tests.postgres import Postgres
from tests.running import REPO

FORM = {"username": "harbourmaster", "password1": PASSWORD, "password2": PASSWORD}


def test_the_first_visitor_can_become_the_administrator() -> None:
    client = Client()
    assert 'href="/setup/"' in client.get("/").content.decode()
    assert "Set up this site" in client.get("/setup/").content.decode()
    assert client.post("/setup/", FORM).headers["Location"] == "/"
    person = get_user(client)  # type: ignore[arg-type]
    assert isinstance(person, User)
    assert (person.username, person.is_superuser, person.is_staff) == ("harbourmaster", True, True)
    assert person.check_password(PASSWORD)
    assert client.get("/admin/").status_code == 200


@pytest.mark.parametrize("by", ["a guest", "an account", "an account that was closed"])
def test_the_setup_page_is_gone_once_the_site_has_a_user(by: str) -> None:
    if by == "a guest":
        make_guest("Tom")
    else:
        User.objects.create_user("alice", password=PASSWORD, is_active=by == "an account")
    client = Client()
    assert "/setup/" not in client.get("/").content.decode()
    assert client.get("/setup/").status_code == 404
    assert client.post("/setup/", FORM).status_code == 404
    assert User.objects.count() == 1


@pytest.mark.parametrize(
    "wrong",
    [
        {"username": ""},
        {"username": "guest-of-honour"},
        {"username": "a\0b"},
        {"password1": "12345678", "password2": "12345678"},
        {"password2": "another"},
    ],
)
def test_a_wrong_setup_form_creates_no_user(wrong: dict[str, str]) -> None:
    answer = Client().post("/setup/", FORM | wrong)
    assert answer.status_code == 400
    assert "errorlist" in answer.content.decode()
    assert not User.objects.exists()


def test_a_page_of_another_site_cannot_send_the_setup_form() -> None:
    assert Client(enforce_csrf_checks=True).post("/setup/", FORM).status_code == 403
    assert not User.objects.exists()


def rivals(count: int = 8) -> list[User | None]:
    """So many at once; what each of them got."""
    from django.db import connection

    start = Barrier(count)

    def try_it(number: int) -> User | None:
        form = FirstAdministratorForm(FORM | {"username": f"rival-{number}"})
        assert form.is_valid()
        start.wait(30)  # all have seen an empty site
        try:
            return create_first_administrator(form)
        finally:
            connection.close()

    with ThreadPoolExecutor(count) as pool:
        return list(pool.map(try_it, range(count)))


def test_only_one_of_many_simultaneous_visitors_becomes_administrator() -> None:
    assert sum(winner is not None for winner in rivals()) == 1
    assert User.objects.filter(is_superuser=True).count() == 1


RIVALS = """
import django
django.setup()
from django.core.management import call_command
call_command("migrate", verbosity=0)
from tests.access.test_first_run import rivals
print(sum(winner is not None for winner in rivals()))
"""


def test_on_postgresql_only_one_of_many_simultaneous_visitors_becomes_administrator(postgres: Postgres) -> None:
    """Where nothing but the row lock keeps them apart."""
    settings = {
        "DATABASE_URL": postgres.url("rivals"),
        "DJANGO_SETTINGS_MODULE": "tests.settings",
        "PYTHONPATH": "app:.",
    }
    command = [sys.executable, "-W", "ignore", "-c", RIVALS]
    done = subprocess.run(command, cwd=REPO, env=os.environ | settings, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "1\n"), done.stderr
