"""The members of a room: roles, removals and bans, and invitations into it."""

from typing import Any

from django.http import HttpResponse
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework.response import Response
from rest_framework.views import APIView

from chat import events
from chat.api import serializers
from chat.api.exchange import AuthenticatedRequest, get_user, parse_json, respond, validate
from chat.api.schema import REFUSED, list_of, ref
from chat.services import invitations, members, rooms
from chat.services.memberships import MODERATOR, OWNER

MEMBER: dict[Any, OpenApiResponse] = {
    200: OpenApiResponse(ref(events.Member), "The membership after the change."),
    **REFUSED,
}


class Members(APIView):
    """The members of a room."""

    @extend_schema(
        operation_id="members_list",
        parameters=[serializers.MembersIn],
        responses={200: ref(members.Members), **REFUSED},
    )
    def get(self, request: AuthenticatedRequest, slug: str) -> Response:
        """List a page of a room's members. Its owner and moderators can also list those who were removed or banned."""
        data = validate(serializers.MembersIn, request.query_params)
        return respond(members.list_members(slug=slug, user=request.user, **data))

    @extend_schema(operation_id="member_add", request=serializers.MemberIn, responses=MEMBER)
    def post(self, request: AuthenticatedRequest, slug: str) -> Response:
        """Add a user to a private room that I own or moderate."""
        data = validate(serializers.MemberIn, parse_json(request))
        # Before the username is looked up, so that other users cannot find out which usernames exist.
        rooms.get_room_with_role(slug, request.user, OWNER, MODERATOR)
        added = members.add_member(slug=slug, by=request.user, user=get_user(data["username"]))
        return respond(events.member_of(added))


class MemberDetail(APIView):
    """One member of a room."""

    @extend_schema(operation_id="member_role", request=serializers.RoleIn, responses=MEMBER)
    def patch(self, request: AuthenticatedRequest, slug: str, user: int) -> Response:
        """Change a member's role in a room that I own. With `owner` I transfer the ownership and become a moderator."""
        data = validate(serializers.RoleIn, parse_json(request))
        return respond(events.member_of(members.set_role(slug=slug, by=request.user, user=user, **data)))

    @extend_schema(operation_id="member_remove", responses=MEMBER)
    def delete(self, request: AuthenticatedRequest, slug: str, user: int) -> Response:
        """Remove a member; they can join again as other users can."""
        return respond(events.member_of(members.remove_member(slug=slug, by=request.user, user=user)))


class Ban(APIView):
    """The ban of a user from a room."""

    @extend_schema(operation_id="ban_set", request=None, responses=MEMBER)
    def put(self, request: AuthenticatedRequest, slug: str, user: int) -> Response:
        """Remove a member, who then cannot join again."""
        return respond(events.member_of(members.remove_member(slug=slug, by=request.user, user=user, ban=True)))

    @extend_schema(operation_id="ban_lift", responses=MEMBER)
    def delete(self, request: AuthenticatedRequest, slug: str, user: int) -> Response:
        """Let the user join again."""
        return respond(events.member_of(members.unban_member(slug=slug, by=request.user, user=user)))


class Invitations(APIView):
    """Invitations: links into a private room."""

    @extend_schema(operation_id="invitations_list", responses={200: list_of(invitations.Invited), **REFUSED})
    def get(self, request: AuthenticatedRequest, slug: str) -> Response:
        """List the valid invitations."""
        return respond(invitations.list_invitations(slug=slug, by=request.user))

    @extend_schema(
        operation_id="invitation_make",
        request=serializers.InvitationIn,
        responses={201: ref(invitations.Invited), **REFUSED},
    )
    def post(self, request: AuthenticatedRequest, slug: str) -> Response:
        """Create an invitation. Its token is only in this answer; the link is /invitations/<token>/."""
        data = validate(serializers.InvitationIn, parse_json(request))
        return respond(invitations.create_invitation(slug=slug, by=request.user, **data), 201)


class InvitationDetail(APIView):
    """One invitation."""

    @extend_schema(operation_id="invitation_revoke", responses={204: None, **REFUSED})
    def delete(self, request: AuthenticatedRequest, slug: str, invitation: int) -> HttpResponse:
        """Revoke the invitation."""
        invitations.revoke_invitation(slug=slug, by=request.user, invitation=invitation)
        return Response(status=204)


class Accept(APIView):
    """Joining a room by an invitation."""

    @extend_schema(
        operation_id="invitation_accept",
        request=serializers.AcceptIn,
        responses={200: ref(events.RoomInfo), **REFUSED},
    )
    def post(self, request: AuthenticatedRequest) -> Response:
        """Join the room of the invitation."""
        room = invitations.accept_invitation(user=request.user, **validate(serializers.AcceptIn, parse_json(request)))
        return respond(events.info_of(room))
