"""The page of an invitation's link."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from accounts.models import User
from chat.services.errors import InvitationNotFound
from chat.services.invitations import accept_invitation, get_invited_room


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
def invitation(request: HttpRequest, token: str) -> HttpResponse:
    """Show the room of an invitation; POST joins it. GET changes nothing, because programs follow links, too."""
    try:
        if request.method == "POST" and isinstance(request.user, User):
            return redirect("room", slug=accept_invitation(token=token, user=request.user).slug)
        page = {"room": get_invited_room(token), "come_back": request.path}
    except InvitationNotFound:
        return render(request, "chat/invitation.html", status=404)
    return render(request, "chat/invitation.html", page)
