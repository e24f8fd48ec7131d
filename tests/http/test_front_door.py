"""Signing in: the landing page, accounts and guests."""

import re
from typing import Any

import pytest
from django.contrib.auth import get_user
from django.core import mail
from django.core.cache import cache
from django.core.exceptions import ValidationError
from django.test import Client

from accounts.models import NAME_CHARS, User
from accounts.names import clean_name
from tests.conftest import PASSWORD

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _no_limits_used_up() -> None:
    cache.clear()


@pytest.fixture
def client() -> Client:
    return Client(HTTP_X_FORWARDED_FOR="192.0.2.7")


def signed_in(client: Client) -> Any:
    return get_user(client)  # type: ignore[arg-type]


def test_the_landing_page_asks_for_a_name_only(client: Client) -> None:
    page = client.get("/").content.decode()
    assert re.findall(r'<input[^>]*name="(\w+)"', page.split("<main", 1)[1].split("</main>")[0]) == [
        "csrfmiddlewaretoken",
        "next",
        "name",
    ]
    assert "/accounts/login/" in page
    assert "/accounts/signup/" in page


def test_a_guest_signs_in_with_a_name(client: Client) -> None:
    answer = client.post("/guest/", {"name": "  Tom \u00a0 Sawyer "})
    assert answer.headers["Location"] == "/"
    guest = signed_in(client)
    assert (guest.name, guest.is_guest, guest.has_usable_password()) == ("Tom Sawyer", True, False)
    assert guest.username.startswith("guest-")


def test_two_guests_may_have_the_same_name(client: Client) -> None:
    client.post("/guest/", {"name": "Tom"})
    Client(HTTP_X_FORWARDED_FOR="192.0.2.8").post("/guest/", {"name": "Tom"})
    assert User.objects.filter(display_name="Tom").count() == 2


@pytest.mark.parametrize(
    "name",
    [
        "",
        "   ",
        "x" * (NAME_CHARS + 1),
        "a\nb",
        "nul\0",
        "\u202egnihsif",
        "a\u2066b",
        "\u200b\u200b",
        "\u200d",
        "\ue000",
        "x\u2028y",
    ],
)
def test_an_invisible_or_deceptive_name_is_refused(client: Client, name: str) -> None:
    answer = client.post("/guest/", {"name": name})
    assert answer.status_code == 400
    assert "errorlist" in answer.content.decode()
    assert not User.objects.exists()


def test_an_unpaired_surrogate_is_refused() -> None:
    with pytest.raises(ValidationError):
        clean_name("a\ud800")


@pytest.mark.parametrize("name", ["Ωmega", "علی‌رضا", "👩‍🚀", "Zoë", "<b>Bob</b>", "陳大文", "x" * NAME_CHARS])
def test_a_name_in_any_script_is_accepted(client: Client, name: str) -> None:
    client.post("/guest/", {"name": name})
    assert signed_in(client).name == clean_name(name) == name


def test_a_guest_is_redirected_to_the_page_they_wanted(client: Client) -> None:
    page = client.get("/accounts/login/?next=/rooms/harbour/").content.decode()
    assert page.count('name="next" value="/rooms/harbour/"') == 2  # signing in, or just visiting
    assert client.post("/guest/", {"name": "Tom", "next": "/rooms/harbour/"}).headers["Location"] == "/rooms/harbour/"


@pytest.mark.parametrize("url", ["https://evil.example/", "//evil.example", "javascript:alert(1)", "/\\evil.example"])
def test_no_link_redirects_to_another_site(client: Client, url: str) -> None:
    assert client.post("/guest/", {"name": "Tom", "next": url}).headers["Location"] == "/"


def test_the_guest_form_does_not_replace_a_session(client: Client, alice: User) -> None:
    client.force_login(alice)
    client.post("/guest/", {"name": "Tom"})
    assert signed_in(client) == alice


def test_guests_can_be_switched_off(client: Client, settings: Any) -> None:
    settings.ALLOW_GUESTS = False
    assert client.post("/guest/", {"name": "Tom"}).status_code == 404
    for page in ("/", "/accounts/login/"):
        assert "/guest/" not in client.get(page).content.decode()


def test_guests_from_one_address_are_throttled(client: Client) -> None:
    statuses = [client.post("/guest/", {"name": "Tom"}).status_code for _ in range(61)]
    assert statuses == [302] * 60 + [429]
    assert "Too many requests" in client.post("/guest/", {"name": "Tom"}).content.decode()


def test_sign_up_creates_an_account_and_signs_in(client: Client) -> None:
    form = {"username": "alice", "display_name": " Alice  Lind ", "password1": PASSWORD, "next": "/rooms/harbour/"}
    assert client.post("/accounts/signup/", form).headers["Location"] == "/rooms/harbour/"
    assert (signed_in(client).username, signed_in(client).name) == ("alice", "Alice Lind")


def test_without_a_display_name_others_see_the_username(client: Client) -> None:
    client.post("/accounts/signup/", {"username": "alice", "display_name": " ", "password1": PASSWORD})
    assert signed_in(client).name == "alice"


@pytest.mark.parametrize(
    ("field", "value"), [("username", "Guest-of-honour"), ("display_name", "\u202eboss"), ("password1", "12345678")]
)
def test_sign_up_explains_errors(client: Client, field: str, value: str) -> None:
    form = {"username": "alice", "display_name": "Alice", "password1": PASSWORD, field: value}
    page = client.post("/accounts/signup/", form).content.decode()
    assert re.search(rf'<input[^>]*name="{field}"[^>]*aria-invalid="true"', page)
    assert not User.objects.exists()


def test_a_user_signs_in_by_username_or_address_and_signs_out(client: Client, alice: User) -> None:
    for login in ("alice", "alice@example.com"):
        assert client.post("/accounts/login/", {"login": login, "password": PASSWORD}).headers["Location"] == "/"
        assert signed_in(client) == alice
        assert "Alice Lind" in client.get("/accounts/logout/").content.decode()
        client.post("/accounts/logout/")
        assert not signed_in(client).is_authenticated


def test_password_guesses_are_throttled(client: Client, alice: User) -> None:
    for _ in range(6):
        page = client.post("/accounts/login/", {"login": "alice", "password": "wrong"})
    assert "Too many failed login attempts" in page.content.decode()


def test_a_forgotten_password_is_reset_by_mail(client: Client, alice: User) -> None:
    assert client.get("/accounts/password/reset/").status_code == 200
    client.post("/accounts/password/reset/", {"email": "alice@example.com"})
    (letter,) = mail.outbox
    assert "Reset your password" in letter.subject
    (link,) = re.findall(r"https?://\S+", letter.body)
    page = client.get(link, follow=True)
    form = page.context["form"]
    assert set(form.fields) == {"password1", "password2"}
    chosen = "another horse battery staple"
    client.post(page.request["PATH_INFO"], {"password1": chosen, "password2": chosen})
    assert client.post("/accounts/login/", {"login": "alice", "password": chosen}).status_code == 302
    assert "has been used" in Client().get(link, follow=True).content.decode()


def test_the_page_does_not_reveal_whether_an_address_is_known(client: Client) -> None:
    page = client.post("/accounts/password/reset/", {"email": "nobody@example.com"}, follow=True)
    assert "If there is an account" in page.content.decode()
    assert "There is no account with this address" in mail.outbox[0].body


def test_a_changed_password_is_confirmed_on_the_page(client: Client, alice: User) -> None:
    client.post("/accounts/login/", {"login": "alice", "password": PASSWORD})
    chosen = "another horse battery staple"
    form = {"oldpassword": PASSWORD, "password1": chosen, "password2": chosen}
    page = client.post("/accounts/password/change/", form, follow=True)
    assert "Your password has been changed." in page.content.decode()
    assert signed_in(client) == alice
