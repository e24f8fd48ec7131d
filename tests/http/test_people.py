"""The list of people, and opening a conversation from it."""

import pytest
from django.test import Client
from django.urls import reverse

from accounts.models import User
from chat.models import Room
from chat.services import integrations, people
from tests.conftest import PASSWORD


@pytest.fixture
def hers(alice, client: Client) -> Client:
    client.force_login(alice)
    return client


def listed(client: Client, **query: object) -> list[str]:
    return [person.name for person in client.get(reverse("people"), query).context["found"].people]


def test_all_users_but_bots_and_deactivated_ones_are_listed_by_name(hers, bob, mallory):
    User.objects.create_user("zoe", display_name="Ada")
    User.objects.create_user("gone", is_active=False)
    integrations.create_integration(name="Bridge", rooms=["harbour"])
    assert listed(hers) == ["Ada", "Alice Lind", "bob", "mallory"]


@pytest.mark.parametrize(
    ("search", "found"),
    [
        ("LIND", ["Alice Lind"]),
        ("alice", ["Alice Lind"]),
        ("o", ["bob", "mallory"]),
        ("nobody", []),
        ("%", []),
        ("\0", ["Alice Lind", "bob", "mallory"]),
    ],
)
def test_a_person_is_found_by_a_part_of_their_name(hers, bob, mallory, search, found):
    assert listed(hers, search=search) == found


def test_a_guest_is_found_by_display_name_and_not_by_username(hers):
    User.objects.create_user("guest-1234", display_name="Mo", is_guest=True)
    assert listed(hers, search="mo") == ["Mo"]
    assert listed(hers, search="guest") == []


def test_the_list_has_pages(hers):
    User.objects.bulk_create(User(username=f"p{number:03}") for number in range(120))
    assert [len(listed(hers, page=page)) for page in (1, 2, 3, 4)] == [50, 50, 21, 0]
    assert "page=2" in hers.get(reverse("people")).content.decode()
    found = hers.get(reverse("people"), {"search": "p&1", "page": "x"})
    assert found.context["page"] == 1
    page = hers.get(reverse("people"), {"search": "p", "page": 2}).content.decode()
    assert "?search=p&amp;page=3" in page
    assert "?search=p&amp;page=1" in page


def test_the_list_shows_presence(hers, alice, bob, monkeypatch):
    monkeypatch.setattr("chat.services.people.load_presence", lambda _: {bob.pk: "idle", alice.pk: "online"})
    listed = people.list_people().people
    assert [(one.name, one.presence) for one in listed] == [
        ("Alice Lind", "online"),
        ("bob", "idle"),
    ]
    page = hers.get(reverse("people")).content.decode()
    assert ('class="dot online"' in page, 'class="dot idle"' in page) == (True, True)


def test_a_conversation_is_opened_once_and_shown(hers, alice, bob):
    ways = [hers.post(reverse("conversation", args=[bob.pk])) for _ in range(2)]
    (room,) = Room.objects.all()
    assert [way.url for way in ways] == [f"/rooms/{room.slug}/"] * 2
    assert set(room.members.all()) == {alice, bob}


def test_a_conversation_with_an_absent_user_is_404(hers, alice):
    integration, _ = integrations.create_integration(name="Bridge", rooms=["harbour"])
    shut_out = User.objects.create_user("gone", is_active=False)
    for number in (alice.pk, integration.bot.pk, shut_out.pk, 0, 2**63):
        assert hers.post(reverse("conversation", args=[number])).status_code == 404
    assert not Room.objects.filter(kind="direct").exists()


def test_the_list_needs_a_session_and_a_get_opens_no_conversation(hers, bob):
    assert hers.get(reverse("conversation", args=[bob.pk])).status_code == 405
    strict = Client(enforce_csrf_checks=True)
    strict.login(username="alice", password=PASSWORD)
    assert strict.post(reverse("conversation", args=[bob.pk])).status_code == 403
    for path in (reverse("people"), reverse("conversation", args=[bob.pk])):
        assert Client().get(path).url.startswith("/accounts/login/")
    assert Client().get("/api/people/").status_code == 401
    assert not Room.objects.exists()
