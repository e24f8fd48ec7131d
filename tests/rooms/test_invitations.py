"""Invitations: links into private rooms."""

from datetime import timedelta

import pytest
from django.db import IntegrityError
from django.utils import timezone

from chat.models import Invitation
from chat.services import invitations, members, rooms
from chat.services.errors import ChatError, InvitationNotFound


def accept(token, user):
    return invitations.accept_invitation(token=token, user=user)


def test_a_link_can_be_accepted_and_a_second_time_changes_nothing(secret, alice, mallory):
    made = invitations.create_invitation(slug=secret.slug, by=alice)
    assert accept(made.token, mallory).slug == secret.slug
    head = accept(made.token, mallory).head
    secret.refresh_from_db()
    assert secret.head == head
    assert rooms.get_joined_room(secret.slug, mallory) == secret


def test_the_token_is_not_in_the_database(secret, alice):
    made = invitations.create_invitation(slug=secret.slug, by=alice)
    assert made.token
    assert made.token not in str(Invitation.objects.values_list().get())
    assert [one.token for one in invitations.list_invitations(slug=secret.slug, by=alice)] == [""]


@pytest.mark.parametrize("why", ["unknown", "expired", "revoked", "room gone"])
def test_all_invalid_links_get_the_same_answer(secret, alice, mallory, why):
    made = invitations.create_invitation(slug=secret.slug, by=alice)
    token = made.token
    if why == "unknown":
        token = "x" * 32
    elif why == "expired":
        Invitation.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    elif why == "revoked":
        invitations.revoke_invitation(slug=secret.slug, by=alice, invitation=made.id)
    else:
        secret.delete()
    with pytest.raises(InvitationNotFound):
        accept(token, mallory)
    with pytest.raises(InvitationNotFound):
        invitations.get_invited_room(token)


def test_a_banned_user_cannot_accept_a_link(secret, alice, bob):
    made = invitations.create_invitation(slug=secret.slug, by=alice)
    members.remove_member(slug=secret.slug, by=alice, user=bob.pk, ban=True)
    with pytest.raises(InvitationNotFound):
        accept(made.token, bob)


def test_a_removed_user_can_accept_a_link(secret, alice, bob):
    members.remove_member(slug=secret.slug, by=alice, user=bob.pk)
    assert accept(invitations.create_invitation(slug=secret.slug, by=alice).token, bob) == secret


def test_an_open_room_has_no_invitations(room, alice):
    with pytest.raises(ChatError, match="needs no invitation"):
        invitations.create_invitation(slug="harbour", by=alice)


def test_expired_invitations_are_not_listed_and_are_deleted_with_the_next_one(secret, alice):
    invitations.create_invitation(slug=secret.slug, by=alice)
    Invitation.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    assert invitations.list_invitations(slug=secret.slug, by=alice) == []
    invitations.create_invitation(slug=secret.slug, by=alice, hours=1)
    (left,) = Invitation.objects.all()
    assert timedelta(minutes=59) < left.expires_at - timezone.now() <= timedelta(hours=1)


def test_an_invitation_cannot_be_revoked_through_another_room(secret, alice, mallory):
    made = invitations.create_invitation(slug=secret.slug, by=alice)
    hers = rooms.create_private_room(title="Hers", owner=mallory)
    with pytest.raises(InvitationNotFound):
        invitations.revoke_invitation(slug=hers.slug, by=mallory, invitation=made.id)
    assert invitations.get_invited_room(made.token) == secret


def test_two_links_are_always_different(secret, alice):
    first = invitations.create_invitation(slug=secret.slug, by=alice)
    second = invitations.create_invitation(slug=secret.slug, by=alice)
    assert first.token != second.token
    with pytest.raises(IntegrityError):
        Invitation.objects.update(digest="same")
