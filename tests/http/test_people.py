"""The list of people, and the way from it into a conversation."""

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


def test_everybody_is_listed_by_name_but_bots_and_who_was_shut_out(hers, bob, mallory):
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
def test_somebody_is_found_by_a_part_of_their_name(hers, bob, mallory, search, found):
    assert listed(hers, search=search) == found


def test_a_guest_is_found_by_name_and_not_by_what_the_site_calls_guests(hers):
    User.objects.create_user("guest-1234", display_name="Mo", is_guest=True)
    assert listed(hers, search="mo") == ["Mo"]
    assert listed(hers, search="guest") == []


def test_the_list_has_pages(hers):
    User.objects.bulk_create(User(username=f"p{number:03}") for number in range(120))
    assert [len(listed(hers, page=page)) for page in (1, 2, 3, 4)] == [50, 50, 21, 0]
    assert "page=2" in hers.get(reverse("people")).content.decode()
    found = hers.get(reverse("people"), {"search": "p&1", "page": "x"})
    assert found.context["page"] == 1
    said = hers.get(reverse("people"), {"search": "p", "page": 2}).content.decode()
    assert "?search=p&amp;page=3" in said
    assert "?search=p&amp;page=1" in said


def test_who_is_there_is_said(hers, alice, bob, monkeypatch):
    monkeypatch.setattr("chat.services.people.online", lambda _: {bob.pk: "idle", alice.pk: "online"})
    listed = people.list_people().people
    assert [(one.name, one.presence) for one in listed] == [
        ("Alice Lind", "online"),
        ("bob", "idle"),
    ]
    said = hers.get(reverse("people")).content.decode()
    assert ('class="dot online"' in said, 'class="dot idle"' in said) == (True, True)


def test_a_conversation_is_opened_once_and_gone_to(hers, alice, bob):
    ways = [hers.post(reverse("conversation", args=[bob.pk])) for _ in range(2)]
    (room,) = Room.objects.all()
    assert [way.url for way in ways] == [f"/rooms/{room.slug}/"] * 2
    assert set(room.members.all()) == {alice, bob}


def test_with_nobody_no_conversation_is_opened(hers, alice):
    integration, _ = integrations.create_integration(name="Bridge", rooms=["harbour"])
    shut_out = User.objects.create_user("gone", is_active=False)
    for number in (alice.pk, integration.bot.pk, shut_out.pk, 0, 2**63):
        assert hers.post(reverse("conversation", args=[number])).status_code == 404
    assert not Room.objects.filter(kind="direct").exists()


def test_the_list_is_for_those_who_are_signed_in_and_a_link_opens_nothing(hers, bob):
    assert hers.get(reverse("conversation", args=[bob.pk])).status_code == 405
    strict = Client(enforce_csrf_checks=True)
    strict.login(username="alice", password=PASSWORD)
    assert strict.post(reverse("conversation", args=[bob.pk])).status_code == 403
    for path in (reverse("people"), reverse("conversation", args=[bob.pk])):
        assert Client().get(path).url.startswith("/accounts/login/")
    assert Client().get("/api/people/").status_code == 401
    assert not Room.objects.exists()
