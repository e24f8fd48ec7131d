"""Who is in a room, as what, and who is let in or put out."""

from typing import Any

from django.http import HttpResponse
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework.response import Response
from rest_framework.views import APIView

from chat import events
from chat.api import serializers as shapes
from chat.api.exchange import REFUSED, SignedIn, answer, checked, sent, somebody
from chat.services import invitations, members, rooms
from chat.services.memberships import MODERATOR, OWNER

MEMBER: dict[Any, OpenApiResponse] = {200: OpenApiResponse(shapes.ref(events.Member), "What they are now."), **REFUSED}


class Members(APIView):
    """Who is in a room."""

    @extend_schema(
        operation_id="members_list",
        parameters=[shapes.MembersIn],
        responses={200: shapes.ref(members.Members), **REFUSED},
    )
    def get(self, request: SignedIn, slug: str) -> Response:
        """List a page of a room's people; those who were removed or banned, to its owner and moderators."""
        wanted = checked(shapes.MembersIn, request.query_params)
        return answer(members.list_members(slug=slug, user=request.user, **wanted))

    @extend_schema(operation_id="member_add", request=shapes.MemberIn, responses=MEMBER)
    def post(self, request: SignedIn, slug: str) -> Response:
        """Let somebody into a private room that I own or moderate."""
        wanted = checked(shapes.MemberIn, sent(request))
        # Before a name is looked up: nobody learns names from a foreign room.
        rooms.get_room_with_role(slug, request.user, OWNER, MODERATOR)
        added = members.add_member(slug=slug, by=request.user, user=somebody(wanted["username"]))
        return answer(events.member_of(added))


class MemberDetail(APIView):
    """Somebody in a room."""

    @extend_schema(operation_id="member_role", request=shapes.RoleIn, responses=MEMBER)
    def patch(self, request: SignedIn, slug: str, user: int) -> Response:
        """Give a role in a room I own; with `owner` I hand the room over, and moderate it."""
        wanted = checked(shapes.RoleIn, sent(request))
        return answer(events.member_of(members.set_role(slug=slug, by=request.user, user=user, **wanted)))

    @extend_schema(operation_id="member_remove", responses=MEMBER)
    def delete(self, request: SignedIn, slug: str, user: int) -> Response:
        """Remove somebody; they may come again as anybody may."""
        return answer(events.member_of(members.remove_member(slug=slug, by=request.user, user=user)))


class Ban(APIView):
    """Never again."""

    @extend_schema(operation_id="ban_set", request=None, responses=MEMBER)
    def put(self, request: SignedIn, slug: str, user: int) -> Response:
        """Remove somebody and let them never come back."""
        return answer(events.member_of(members.remove_member(slug=slug, by=request.user, user=user, ban=True)))

    @extend_schema(operation_id="ban_lift", responses=MEMBER)
    def delete(self, request: SignedIn, slug: str, user: int) -> Response:
        """Let them come again."""
        return answer(events.member_of(members.unban_member(slug=slug, by=request.user, user=user)))


class Invitations(APIView):
    """Links into a private room."""

    @extend_schema(operation_id="invitations_list", responses={200: shapes.listed(invitations.Invited), **REFUSED})
    def get(self, request: SignedIn, slug: str) -> Response:
        """List those that still let people in."""
        return answer(invitations.list_invitations(slug=slug, by=request.user))

    @extend_schema(
        operation_id="invitation_make",
        request=shapes.InvitationIn,
        responses={201: shapes.ref(invitations.Invited), **REFUSED},
    )
    def post(self, request: SignedIn, slug: str) -> Response:
        """Make one: its token is told this once, and /invitations/<token>/ is the link."""
        wanted = checked(shapes.InvitationIn, sent(request))
        return answer(invitations.create_invitation(slug=slug, by=request.user, **wanted), 201)


class InvitationDetail(APIView):
    """One of them."""

    @extend_schema(operation_id="invitation_revoke", responses={204: None, **REFUSED})
    def delete(self, request: SignedIn, slug: str, invitation: int) -> HttpResponse:
        """Revoke it."""
        invitations.revoke_invitation(slug=slug, by=request.user, invitation=invitation)
        return Response(status=204)


class Accept(APIView):
    """Coming in by a link."""

    @extend_schema(
        operation_id="invitation_accept",
        request=shapes.AcceptIn,
        responses={200: shapes.ref(events.RoomInfo), **REFUSED},
    )
    def post(self, request: SignedIn) -> Response:
        """Enter the room that the invitation is to."""
        room = invitations.accept_invitation(user=request.user, **checked(shapes.AcceptIn, sent(request)))
        return answer(events.info_of(room))
