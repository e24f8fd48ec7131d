"""The pages of rooms: what they show, and what they do not reveal."""

import json
import re
from html import unescape
from typing import Any
from uuid import uuid4

import pytest
from django.contrib.auth.models import AnonymousUser
from django.contrib.staticfiles import finders
from django.test import Client, RequestFactory
from django.views import defaults
from django.views.csrf import csrf_failure

from accounts.models import User
from chat.models import Membership, Room
from chat.services import rooms
from chat.services.errors import ChatError
from chat.services.messages import post_message

pytestmark = pytest.mark.django_db


def client_of(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def text_of(answer: Any) -> str:
    return re.sub(r'name="csrfmiddlewaretoken" value="\w+"', "", answer.content.decode())


def test_a_user_without_a_room_gets_the_form_for_one(alice: User) -> None:
    page = client_of(alice).get("/")
    assert "Welcome, Alice Lind." in text_of(page)
    assert 'action="/rooms/"' in text_of(page)


def test_the_first_page_of_a_member_is_the_room_with_the_newest_message(alice: User) -> None:
    rooms.join_room(slug="general", user=alice)
    rooms.join_room(slug="harbour", user=alice)
    assert client_of(alice).get("/").headers["Location"] == "/rooms/harbour/"


@pytest.mark.parametrize(
    ("typed", "slug"), [("Night Watch", "night-watch"), ("#harbour", "harbour"), ("Café", "caf%C3%A9"), (" x ", "x")]
)
def test_a_name_redirects_to_its_room(alice: User, typed: str, slug: str) -> None:
    assert client_of(alice).post("/rooms/", {"name": typed}).headers["Location"] == f"/rooms/{slug}/"


@pytest.mark.parametrize("typed", ["", "  ", "a/b", "~AAAAAAAAAAAAAAAA", "<script>", "x" * 65, "."])
def test_a_wrong_name_is_explained(alice: User, typed: str) -> None:
    page = client_of(alice).post("/rooms/", {"name": typed})
    assert page.status_code == 400
    assert "A room name has 1 to 64 letters" in text_of(page)


def test_viewing_a_room_writes_nothing(alice: User) -> None:
    page = client_of(alice).get("/rooms/harbour/")
    assert page.status_code == 200
    assert not Room.objects.exists()
    assert not Membership.objects.exists()
    assert "no-store" in page.headers["Cache-Control"]


def test_another_spelling_redirects_to_the_one_address(alice: User) -> None:
    assert client_of(alice).get("/rooms/Harbour/").headers["Location"] == "/rooms/harbour/"


def test_the_page_of_a_room_has_what_its_script_needs(alice: User, room: Room) -> None:
    page = text_of(client_of(alice).get("/rooms/harbour/"))
    (data,) = re.findall(r'<script id="page" type="application/json">(.*?)</script>', page)
    assert json.loads(data) == {
        "user": {"id": alice.pk, "name": "Alice Lind", "guest": False},
        "room": "harbour",
        "bodyChars": 4000,
        "home": "/",
        "login": "/accounts/login/?next=%2Frooms%2Fharbour%2F",
    }


def test_a_hidden_room_and_an_absent_one_get_the_same_answer(alice: User, mallory: User, secret: Room) -> None:
    other = "~" + "A" * 16
    same = {"X-Request-ID": "a" * 32}  # which the page quotes
    seen, absent = (client_of(mallory).get(f"/rooms/{slug}/", headers=same) for slug in (secret.slug, other))
    assert (seen.status_code, absent.status_code) == (404, 404)
    assert text_of(seen) == text_of(absent)
    assert seen.headers.keys() == absent.headers.keys()
    assert "Crew only" in text_of(client_of(alice).get(f"/rooms/{secret.slug}/"))


def test_a_direct_room_has_the_other_persons_name(alice: User, bob: User) -> None:
    slug = rooms.open_direct_room(me=alice, other=bob).slug
    assert '<bdi id="title">bob</bdi>' in text_of(client_of(alice).get(f"/rooms/{slug}/"))
    assert '<bdi id="title">Alice Lind</bdi>' in text_of(client_of(bob).get(f"/rooms/{slug}/"))


def test_a_visitor_is_asked_to_sign_in_and_redirected_back(client: Client) -> None:
    for slug in ("harbour", "~AAAAAAAAAAAAAAAA"):
        answer = client.get(f"/rooms/{slug}/")
        assert answer.headers["Location"] == f"/accounts/login/?next=/rooms/{slug}/"


def test_the_side_bar_shows_my_rooms_by_name_and_what_is_unread(alice: User, bob: User, room: Room) -> None:
    rooms.join_room(slug="anchors", user=alice)
    post_message(room="harbour", author=bob, body="Ahoy", cid=uuid4())
    page = text_of(client_of(alice).get("/rooms/anchors/"))
    assert re.findall(r'data-room="([^"]+)"', page) == ["anchors", "harbour"]
    assert re.findall(r'<span class="count">(\d+)</span>', page) == ["0", "1"]


HOSTILE = "</script><script>alert(1)</script>"


def test_names_titles_and_topics_are_escaped_everywhere(alice: User, mallory: User) -> None:
    User.objects.filter(pk=alice.pk).update(display_name="<img src=x onerror=1>")
    made = rooms.create_private_room(title=HOSTILE, topic="<svg onload=alert(1)>", owner=alice)
    page = text_of(client_of(User.objects.get(pk=alice.pk)).get(f"/rooms/{made.slug}/"))
    for text in (HOSTILE, "<img src=x", "<svg onload"):
        assert text not in page
        assert text in unescape(page)


def test_no_page_has_inline_script_or_style(alice: User, room: Room) -> None:
    member, stranger = client_of(alice), Client()
    pages = [stranger.get(url) for url in ("/", "/accounts/login/", "/accounts/signup/", "/accounts/password/reset/")]
    pages += [
        member.get(url)
        for url in ("/", "/rooms/", "/rooms/harbour/", "/accounts/logout/", "/accounts/password/change/")
    ]
    pages += [member.get("/rooms/~/"), member.get("/accounts/email/"), member.get("/accounts/inactive/")]
    for page in pages:
        if page.status_code == 302:
            continue
        text = text_of(page)
        assert not re.search(r"<style|\sstyle=|\son\w+=|javascript:", text)
        assert all("src=" in tag or "application/json" in tag for tag in re.findall(r"<script[^>]*>", text))
        assert "script-src 'self'" in page.headers["Content-Security-Policy"]


@pytest.mark.parametrize(
    ("view", "status", "text"),
    [
        (defaults.bad_request, 400, "This request is not valid"),
        (defaults.permission_denied, 403, "Access denied"),
        (defaults.page_not_found, 404, "Page not found"),
        (defaults.server_error, 500, "Something went wrong"),
        (csrf_failure, 403, "This form has expired"),
    ],
)
def test_errors_have_a_page_and_say_what_to_do(view: Any, status: int, text: str, rf: RequestFactory) -> None:
    request = rf.get("/", HTTP_HOST="localhost")
    request.user = AnonymousUser()
    answer = view(request) if view in (defaults.server_error, csrf_failure) else view(request, ChatError())
    assert answer.status_code == status
    assert text in answer.content.decode()
    assert "forms.css" in answer.content.decode()


def test_the_two_lists_of_colours_are_equal() -> None:
    """tokens.css says each colour twice: by light-dark(), and side by side for older browsers."""
    found = finders.find("chat/tokens.css")
    assert isinstance(found, str)
    with open(found) as file:
        css = file.read()
    modern, old = css.split("@supports")
    pairs = re.findall(r"(--[\w-]+): light-dark\((#\w+|rgb\(.*?\)), (#\w+|rgb\(.*?\))\);", modern)
    light, dark = (dict(re.findall(r"(--[\w-]+): (#\w+|rgb\(.*?\));", part)) for part in old.split("@media"))
    assert len(pairs) > 20
    assert {name: (day, night) for name, day, night in pairs} == {name: (light[name], dark[name]) for name in light}
    assert light.keys() == dark.keys()
